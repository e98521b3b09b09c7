/** What is left of a tenant, and of a branch, after they are deleted: nothing but what says that they were. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { keyMeaning } from "../../packages/server/src/database/key-space.ts";
import { recordTables } from "../../packages/server/src/database/record-tables.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { createSystemRuntime } from "../../packages/server/src/runtime/system-runtime.ts";
import { openSqliteStore } from "../../packages/server/src/store/sqlite/open-sqlite-store.ts";
import { deployApp, startTestHost, textAt, type Answer, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

const TENANT = "tenant-that-goes";
const BRANCH = "branch-that-goes";

const FILES = {
  "manifest.yaml": `version: "2"
name: busy
description: For tests.
service_account:
  display_name: Busy
functions:
  - name: echo
    description: Answers with its event.
event_sources:
  organization:
    - name: hook
      description: A webhook.
      display_name: Hook
      type: flow-custom-webhook
      config:
        policy: |
          package rego
          output = {"event": input.request.body, "event_key": "x"}
    - name: clock
      description: Ticks.
      display_name: Clock
      type: timer-events
      config:
        interval_seconds: 3600
    - name: later
      description: Own events.
      display_name: Later
      type: flow-events
      config:
        event_types: [custom:later]
automations:
  - name: on_hook
    source: hook
    event_types: [custom:x]
    function: echo
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": "exports.functionFactory = { echo: async ([event]) => event };",
};

/** A run of it has a timer, a token that answers it, and a call under way. */
const FLOW = {
  format: 1,
  name: "naps",
  trigger: { type: "api" },
  start: "all",
  nodes: {
    all: {
      type: "parallel",
      data: {
        branches: [
          { name: "a", start: "nap" },
          { name: "b", start: "ask" },
          { name: "c", start: "work" },
        ],
      },
    },
    nap: { type: "delay", data: { for: "1d" } },
    ask: { type: "wait", data: { for: "approval", title: "May we?" } },
    work: { type: "script", data: { code: "for (;;);" } },
  },
};

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
}, 60_000);
afterAll(() => host.remove());

/** Tables of the platform, and what of them names the word in its key or value. */
async function rowsWith(dataDir: string, word: string): Promise<ReadonlySet<string>> {
  const names = new Map(recordTables().map(({ space, name }) => [space, name]));
  const store = await openSqliteStore({ dataDir, runtime: createSystemRuntime() });
  try {
    const snapshot = await store.snapshot();
    const entries = await snapshot.range({ start: new Uint8Array(), end: Uint8Array.of(0xff), order: "asc", limit: 1_000_000 });
    snapshot.release();
    const found = entries.filter(({ key, value }) => Buffer.from(key).includes(word) || Buffer.from(value).includes(word));
    return new Set(
      found.map(({ key }) => {
        const meaning = keyMeaning(key);
        return meaning.kind === "record" ? (names.get(meaning.space) ?? String(meaning.space)) : meaning.kind;
      }),
    );
  } finally {
    await store.close();
  }
}

it("a tenant and a branch leave nothing but their names", { timeout: 120_000 }, async () => {
  const ok = async (sent: Promise<Answer>) => {
    const answer = await sent;
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
    return answer;
  };
  await ok(host.send("/v1/tenants", { body: { name: TENANT } }));
  const branchKey = textAt(await ok(host.send("/v1/branches", { body: { name: BRANCH } })), "key");
  const places = [
    { prefix: `/t/${TENANT}`, headers: {} },
    { prefix: "", headers: { "x-plinth-branch": BRANCH, "x-plinth-branch-key": branchKey } },
  ];
  await ok(deployApp(host, TENANT));
  for (const { prefix, headers } of places) {
    const send = (path: string, options: object) =>
      host.send(prefix + path, { ...options, headers: { ...headers, ...(options as { headers?: object }).headers } });
    await ok(
      send("/v1/packages/busy/versions", { method: "POST", body: archiveOf(FILES), headers: { "content-type": "application/gzip" } }),
    );
    const id = textAt(await ok(send("/v1/snap-ins", { body: { package: "busy" } })), "id");
    await ok(send(`/v1/snap-ins/${id}/activate`, { method: "POST" }));
    await ok(send("/v1/events", { body: { snapIn: "busy", source: "later", type: "later", publishAt: "2030-01-01T00:00:00Z", key: "k" } }));
    await ok(send("/v1/flows", { body: { definition: FLOW } }));
    for (const flow of ["naps", "naps"]) await ok(send(`/v1/flows/${flow}/runs`, { body: { idempotencyKey: "once" } }));
    await ok(send("/v1/keyrings", { body: { name: "secret", type: "snap_in_secret", fields: { secret: "s3cret" } } }));
  }
  await ok(host.send(`/t/${TENANT}/v1/limits`, { method: "PUT", body: { budget: { amount: 5 }, functions: [] } }));

  await ok(host.send(`/v1/tenants/${TENANT}`, { method: "DELETE" }));
  await ok(host.send(`/v1/branches/${BRANCH}`, { method: "DELETE" }));
  // The start of the next host goes on with what the stop of this one cut short.
  await host.stop();
  const next = await startTestHost({ dataDir: host.dataDir });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await next.stop();

  // That there was one, so that nobody gets its name and its old keys are refused.
  const tenant = await rowsWith(host.dataDir, TENANT);
  expect([...tenant].filter((name) => !["tenants", "keys", "retentionDays"].includes(name))).toEqual([]);
  // Which branches were used is written anew when one is used.
  const branch = await rowsWith(host.dataDir, BRANCH);
  expect([...branch].filter((name) => !["usedBranches", "retentionDays"].includes(name))).toEqual([]);
});
