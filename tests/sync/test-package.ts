/**
 * A package that speaks the protocol of extractors and loaders with nothing but `fetch`. What it does in each phase is told by the input
 * `plan`; the connection's key is what it says it got.
 */
export const SYNC_PACKAGE: Readonly<Record<string, string>> = {
  "manifest.yaml": `version: "2"
name: syncer
description: For tests.
service_account:
  display_name: Syncer
  scopes:
    self:
      - scope: ticket:read
inputs:
  organization:
    - name: plan
      description: What is different from usual.
      field_type: text
      default_value: ""
functions:
  - name: extract
    description: Extracts.
  - name: load
    description: Loads.
imports:
  - slug: things
    display_name: Things
    description: Things of a test.
    extractor_function: extract
    loader_function: load
    allowed_connection_types:
      - snap_in_secret
`,
  "code/package.json": '{"name":"syncer","main":"./dist/index.js"}',
  "code/dist/index.js": `
const { gzipSync, gunzipSync } = require("node:zlib");
const clientOf = (event) => {
  const { payload, context, execution_metadata } = event;
  const { event_context } = payload;
  const base = execution_metadata.devrev_endpoint;
  const authorization = context.secrets.service_account_token;
  const json = async (response) => {
    if (!response.ok) throw new Error(response.url.replace(/[?].*/, "") + " answered " + response.status + " " + (await response.text()));
    return await response.json();
  };
  const get = async (path, query) => json(await fetch(base + path + "?" + new URLSearchParams(query), { headers: { authorization } }));
  const post = async (url, body) =>
    json(await fetch(url, { method: "POST", headers: { authorization, "content-type": "application/json" }, body: JSON.stringify(body) }));
  const worker = event_context.worker_data_url;
  const query = "?" + new URLSearchParams({ sync_unit: event_context.sync_unit_id, request_id: event_context.request_id });
  return {
    get, post: (path, body) => post(base + path, body),
    report: (event_type, event_data = {}) => post(event_context.callback_url, { event_type, event_context, event_data, worker_metadata: {} }),
    state: async () => {
      const response = await fetch(worker + ".get" + query, { headers: { authorization } });
      if (response.status === 404) return {};
      return JSON.parse((await json(response)).state);
    },
    keep: (state) => post(worker + ".update" + query, { state: JSON.stringify(state) }),
    upload: async (item_type, items) => {
      const request_id = event_context.request_id;
      const place = await get("/internal/airdrop.artifacts.upload-url", { request_id, file_type: "application/x-gzip", file_name: item_type + ".jsonl.gz" });
      const form = new FormData();
      for (const [name, value] of Object.entries(place.form_data)) form.append(name, value);
      form.append("file", new Blob([gzipSync(items.map((item) => JSON.stringify(item) + "\\n").join(""))]));
      await json(await fetch(place.upload_url, { method: "POST", body: form }));
      await post(base + "/internal/airdrop.artifacts.confirm-upload", { request_id, artifact_id: place.artifact_id });
      return { id: place.artifact_id, item_type, item_count: items.length };
    },
    download: async (artifact_id) => {
      const { download_url } = await get("/internal/airdrop.artifacts.download-url", { request_id: event_context.request_id, artifact_id });
      const bytes = Buffer.from(await (await fetch(download_url)).arrayBuffer());
      return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString().split("\\n").filter(Boolean).map((line) => JSON.parse(line));
    },
  };
};
const item = (id, key) => ({ id: String(id), created_date: "2026-01-01T00:00:00Z", modified_date: "2026-01-02T00:00:00Z", data: { title: "Thing " + id, key } });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

exports.functionFactory = {
  extract: async ([event]) => {
    const client = clientOf(event);
    const { plan } = event.input_data.global_values;
    const { key, org_id } = event.payload.connection_data;
    const type = event.payload.event_type;
    console.log(type, event.payload.event_context.mode, event.payload.event_context.external_sync_unit_id);
    if (plan.startsWith("outside ")) return void (await fetch(plan.slice(8), { method: "POST", body: JSON.stringify(event) }));
    if (plan === "silent") return;
    if (plan === "throw") throw new Error("the other system is closed; key " + key);
    if (plan === "hang") await wait(1e8);
    if (plan === "error") return client.report(type.replace(/_START$/, "_ERROR"), { error: { message: "asked too often" } });
    switch (type) {
      case "EXTRACTION_EXTERNAL_SYNC_UNITS_START":
        return client.report("EXTRACTION_EXTERNAL_SYNC_UNITS_DONE", { external_sync_units: [{ id: "p1", name: "One" }, { id: "p2", name: "Two" }] });
      case "EXTRACTION_METADATA_START":
        return client.report("METADATA_EXTRACTION_DONE", { artifacts: [await client.upload("external_domain_metadata", [{ record_types: {} }])] });
      case "EXTRACTION_DATA_START":
        await client.keep({ next: 4 });
        return client.report("EXTRACTION_DATA_PROGRESS", { artifacts: [await client.upload("issues", [1, 2, 3].map((id) => item(id, key)))] });
      case "EXTRACTION_DATA_CONTINUE": {
        const { next } = await client.state();
        if (plan === "slow" && next === 4) await wait(3000);
        if (next > 6) return client.report("DATA_EXTRACTION_DONE");
        const artifact = await client.upload("issues", [item(next, key)]);
        await client.keep({ next: next + 1 });
        if (next === 5) return client.report("EXTRACTION_DATA_DELAY", { artifacts: [artifact], delay: "1" });
        return client.report("DATA_EXTRACTION_PROGRESS", { artifacts: [artifact] });
      }
      case "EXTRACTION_ATTACHMENTS_START":
        return client.report("ATTACHMENT_EXTRACTION_DONE", { artifacts: [await client.upload("ssor_attachment", [{ id: 1 }])] });
      case "EXTRACTION_DATA_DELETE":
        return client.report("EXTRACTOR_STATE_DELETION_DONE");
      case "EXTRACTION_ATTACHMENTS_DELETE":
        return client.report("EXTRACTOR_ATTACHMENTS_STATE_DELETION_DONE");
    }
  },
  load: async ([event]) => {
    const client = clientOf(event);
    const { sync_unit_id: sync_unit } = event.payload.event_context;
    if (event.payload.event_type === "START_LOADING_ATTACHMENTS") return client.report("ATTACHMENT_LOADING_DONE");
    let created = 0, updated = 0;
    for (const file of await client.download(event.payload.event_data.stats_file))
      for (const { id, data } of await client.download(file.id)) {
        const known = await client.get("/internal/airdrop.sync-mapper-record.get-by-target", { sync_unit, target: id.devrev }).catch(() => undefined);
        if (known !== undefined) { updated++; continue; }
        await client.post("/internal/airdrop.sync-mapper-record.create", { sync_unit, external_ids: ["remote-" + id.devrev], targets: [id.devrev], status: "operational", title: data.title });
        created++;
      }
    return client.report("DATA_LOADING_DONE", { reports: [{ item_type: "issues", created, updated, failed: 0 }], processed_files: [] });
  },
};`,
};
