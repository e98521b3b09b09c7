/** What the endpoints of a run take, refuse and repeat. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { startOutsidePackage, type OutsidePackage } from "./outside-package.ts";
import type { SyncCallEvent } from "./parse-event.ts";
import { createUnit, must, plan, startRun, settled, startSyncHost, type SyncHost } from "./sync-host.ts";

let host: SyncHost;
let outside: OutsidePackage;
beforeAll(async () => {
  outside = await startOutsidePackage();
  host = await startSyncHost({ egressAllowPrivate: [`127.0.0.1:${outside.port}`] });
  await plan(host, `outside http://127.0.0.1:${outside.port}/`);
}, 120_000);
afterAll(async () => {
  await outside.close();
  await host.remove();
});

async function began(): Promise<{ readonly unit: string; readonly run: string; readonly event: SyncCallEvent }> {
  const unit = await createUnit(host, "p1");
  const run = await startRun(host, unit, { mode: "incremental" });
  return { unit, run, event: await outside.next() };
}

async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as { readonly code?: string; readonly repeated?: boolean } };
}

async function asPackage(event: SyncCallEvent, path: string, body?: unknown) {
  const headers = { authorization: event.context.secrets.service_account_token };
  if (body !== undefined) return await post(host.url + path, body, headers);
  const response = await fetch(host.url + path, { headers });
  return { status: response.status, json: (await response.json()) as Readonly<Record<string, string>> };
}

it("I1 one report for each call: repeated ones change nothing, others are refused", { timeout: 60_000 }, async () => {
  const { run, event } = await began();
  const url = event.payload.event_context.callback_url;
  expect(event.payload.event_type).toBe("EXTRACTION_METADATA_START");
  expect(event.payload.connection_data.key).toBe("s3cret-of-remote");
  // Of the wrong phase, or of none.
  expect(await post(url, { event_type: "DATA_EXTRACTION_DONE" })).toMatchObject({ status: 409, json: { code: "SyncReportStale" } });
  expect(await post(url, { event_type: "SOMETHING_DONE" })).toMatchObject({ status: 400 });
  expect(await post(url, { event_type: "METADATA_EXTRACTION_DONE" })).toEqual({ status: 200, json: {} });
  expect(await post(url, { event_type: "METADATA_EXTRACTION_DONE" })).toEqual({ status: 200, json: { repeated: true } });
  expect(await post(url, { event_type: "METADATA_EXTRACTION_ERROR" })).toMatchObject({ status: 409, json: { code: "SyncReportStale" } });
  outside.release();
  const second = await outside.next();
  expect(second.payload.event_type).toBe("EXTRACTION_DATA_START");
  // The URL of the first call says nothing about the second.
  expect(await post(url, { event_type: "DATA_EXTRACTION_DONE" })).toMatchObject({ status: 409 });
  const next = second.payload.event_context.callback_url;
  const [first, again] = await Promise.all([
    post(next, { event_type: "DATA_EXTRACTION_DONE" }),
    post(next, { event_type: "DATA_EXTRACTION_DONE" }),
  ]);
  expect([first.status, again.status]).toEqual([200, 200]);
  outside.release();
  const last = (await outside.next()).payload.event_context;
  expect(await post(last.callback_url, { event_type: "ATTACHMENT_EXTRACTION_DONE" })).toMatchObject({ status: 200 });
  outside.release();
  const answer = await settled(host, run);
  expect([textAt(answer, "status"), at(answer, "call"), at(answer, "refused")]).toEqual(["done", 3, 3]);
  // Nothing of a run that has ended can be changed; its last report can be repeated.
  expect(await post(last.callback_url, { event_type: "ATTACHMENT_EXTRACTION_DONE" })).toEqual({ status: 200, json: { repeated: true } });
  expect(await post(`${last.worker_data_url}.update`, { state: "{}" })).toMatchObject({ status: 409, json: { code: "SyncRunEnded" } });
});

it("I2 URLs open what they were made for, and nothing beside it", { timeout: 60_000 }, async () => {
  const { unit, run, event } = await began();
  const { callback_url: url, worker_data_url: worker, request_id } = event.payload.event_context;
  const done = { event_type: "METADATA_EXTRACTION_DONE" };
  for (const wrong of [
    `${url.slice(0, -3)}abc`,
    url.replace("/calls/1/", "/calls/2/"),
    url.replace("/sync/main/", "/sync/other/"),
    url.replace("/t/default/", "/t/nobody/"),
    url.replace(run, `syncrun_${"0".repeat(32)}`),
  ])
    expect(await post(wrong, done), wrong).toMatchObject({ status: 404 });
  // A token of one purpose is none of another.
  const token = url.slice(url.lastIndexOf("/") + 1);
  expect((await fetch(`${worker.slice(0, worker.lastIndexOf("/", worker.lastIndexOf("/") - 1))}/${token}/state.get`)).status).toBe(404);
  // Accounts of snap-ins only.
  expect((await host.send(`/internal/airdrop.artifacts.upload-url?request_id=${request_id}&file_name=a`)).status).toBe(403);
  expect((await host.send(`/internal/airdrop.artifacts.upload-url?request_id=${request_id}`, { key: null })).status).toBe(401);
  expect(await asPackage(event, `/internal/airdrop.artifacts.upload-url?request_id=syncrun_${"0".repeat(32)}`)).toMatchObject({
    status: 404,
  });
  expect(
    await asPackage(event, `/internal/airdrop.sync-mapper-record.get-by-target?sync_unit=syncunit_${"0".repeat(32)}&target=a`),
  ).toMatchObject({ status: 404 });
  must(await host.send(`/v1/sync/runs/${run}/cancel`, { body: {} }));
  outside.release();
  expect(await post(url, done)).toMatchObject({ status: 409, json: { code: "SyncReportStale" } });
  expect(await asPackage(event, `/internal/airdrop.artifacts.upload-url?request_id=${request_id}&file_name=a`)).toMatchObject({
    status: 409,
  });
  expect(textAt(await host.send(`/v1/sync/units/${unit}`), "id")).toBe(unit);
});

it("I3 state, files and mappings are kept as they come, within their limits", { timeout: 60_000 }, async () => {
  const { run, event } = await began();
  const { worker_data_url: worker, request_id, sync_unit } = event.payload.event_context;
  expect((await fetch(`${worker}.get`)).status).toBe(404);
  expect(await post(`${worker}.update`, { state: '{"a":"\\u00e9"}' })).toMatchObject({ status: 200 });
  expect(await (await fetch(`${worker}.get`)).json()).toEqual({ state: '{"a":"\\u00e9"}' });
  expect(await post(`${worker}.update`, { state: "x".repeat(1024 * 1024 + 1) })).toMatchObject({ status: 413 });
  expect(await post(`${worker}.update`, { state: { not: "text" } })).toMatchObject({ status: 400 });

  const place = must200(
    await asPackage(event, `/internal/airdrop.artifacts.upload-url?request_id=${request_id}&file_name=things.jsonl.gz&file_type=x`),
  );
  const upload = place["upload_url"] ?? "";
  const confirm = { request_id, artifact_id: place["artifact_id"] };
  expect(await asPackage(event, "/internal/airdrop.artifacts.confirm-upload", confirm)).toMatchObject({ status: 409 });
  expect((await fetch(upload, { method: "POST", body: formWith({ field: "no file" }) })).status).toBe(400);
  expect((await fetch(upload, { method: "POST", body: formWith({ before: "x", file: new Blob(["first"]) }) })).status).toBe(200);
  const bytes = gzipSync('{"id":"1"}\nnot json\n{"id":"2"}\n');
  expect((await fetch(upload, { method: "POST", body: formWith({ key: "--value\r\n", file: new Blob([bytes]) }) })).status).toBe(200);
  expect(await asPackage(event, "/internal/airdrop.artifacts.confirm-upload", confirm)).toMatchObject({ status: 200 });
  expect((await fetch(upload, { method: "POST", body: formWith({ file: new Blob(["late"]) }) })).status).toBe(409);
  const { download_url = "" } = must200(
    await asPackage(event, `/internal/airdrop.artifacts.download-url?request_id=${request_id}&artifact_id=${place["artifact_id"]}`),
  );
  expect(Buffer.from(await (await fetch(download_url)).arrayBuffer())).toEqual(bytes);
  expect(must(await host.send(`/v1/sync/runs/${run}/items`)).json).toEqual({ items: [], next: null });
  const artifacts = [{ id: place["artifact_id"], item_type: "things", item_count: 2 }, { id: "artefact_of_nobody", item_type: "x" }, 7];
  expect(
    await post(event.payload.event_context.callback_url, { event_type: "METADATA_EXTRACTION_DONE", event_data: { artifacts } }),
  ).toMatchObject({ status: 200 });
  const shown = must(await host.send(`/v1/sync/runs/${run}/items`)).json;
  expect(shown).toMatchObject({ items: [{ item: { id: "1" } }, { item: { unreadable: "not json" } }, { item: { id: "2" } }], next: null });

  const record = { sync_unit, external_ids: ["e1"], targets: ["t1"], status: "operational", input_files: [] };
  const base = "/internal/airdrop.sync-mapper-record";
  expect(await asPackage(event, `${base}.get-by-target?sync_unit=${sync_unit}&target=t1`)).toMatchObject({ status: 404 });
  expect(await asPackage(event, `${base}.create`, record)).toMatchObject({ status: 201 });
  const found = await asPackage(event, `${base}.get-by-external-id?sync_unit=${sync_unit}&external_id=e1&target_type=x`);
  expect(found.json).toMatchObject({ sync_mapper_record: { external_ids: ["e1"], targets: ["t1"] } });
  const { id } = (found.json as unknown as { readonly sync_mapper_record: { readonly id: string } }).sync_mapper_record;
  expect(await asPackage(event, `${base}.update`, { id, sync_unit, external_ids: { add: ["e2"] }, targets: { add: [] } })).toMatchObject({
    status: 200,
  });
  expect((await asPackage(event, `${base}.get-by-external-id?sync_unit=${sync_unit}&external_id=e2`)).status).toBe(200);
  expect(await asPackage(event, `${base}.create`, { ...record, targets: [7] })).toMatchObject({ status: 400 });
  must(await host.send(`/v1/sync/runs/${run}/cancel`, { body: {} }));
  outside.release();
});

function must200({ status, json }: { readonly status: number; readonly json: object }): Readonly<Record<string, string>> {
  expect(status, JSON.stringify(json)).toBe(200);
  return json as Readonly<Record<string, string>>;
}

function formWith(fields: Readonly<Record<string, string | Blob>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}
