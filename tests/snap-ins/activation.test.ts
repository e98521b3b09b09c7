/** Activation, deactivation and upgrade as sagas: every step fails in turn, and what was before is there again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plinthError } from "@plinth/core/errors.ts";
import {
  EVENT_SOURCES,
  QUEUES,
  SAGAS,
  SERVICE_ACCOUNTS,
  SERVICE_TOKENS,
  SNAP_INS,
  TRIGGERS,
} from "../../packages/server/src/database/record-tables.ts";
import type { SagaProbe } from "../../packages/server/src/snap-ins/saga-runner.ts";
import type { SnapIn } from "../../packages/server/src/snap-ins/snap-ins.ts";
import { SAGA_PLANS } from "../../packages/server/src/snap-ins/steps/table.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";
import { testPackage } from "./test-package.ts";

let host: SnapInHost;
let probe: SagaProbe = () => {};
const versions: string[] = [];
let count = 0;

beforeAll(async () => {
  host = await startSnapInHost({ probe: (at) => probe(at) });
  await host.keyrings.create(SCOPE, { name: "remote", type: "snap_in_secret", fields: { secret: "s3cr3t-value" } });
}, 30_000);
afterAll(async () => {
  await host.stop();
  await host.remove();
});

/** A package of its own for a test, as a draft. */
async function draft(): Promise<SnapIn> {
  const name = `tester${++count}`;
  versions[0] = (await host.upload(name, testPackage())).version;
  versions[1] = (await host.upload(name, testPackage({ mark: "two", eventSources: 3 }))).version;
  return await host.snapIns.install(SCOPE, { package: name, version: versions[0] });
}

/** Everything that a snap-in has in the store, but for times. */
async function stateOf(id: string) {
  return await host.database.read(SCOPE, async ({ records }) => {
    const row = await records.get(SNAP_INS, [id]);
    const sources = await records.range(EVENT_SOURCES, { prefix: [id], limit: 100 });
    const accounts = (await records.range(SERVICE_ACCOUNTS, { prefix: [], limit: 100 })).filter(({ value }) => value.snapInId === id);
    const triggers = (await records.range(TRIGGERS, { prefix: [], limit: 1000 })).filter(({ value }) => value.snapInId === id);
    return {
      row: row === undefined ? undefined : { ...row, updatedMs: 0, stateReason: null, state: row.state === "error" ? "draft" : row.state },
      sources: sources.map(({ value }) => value),
      accounts: accounts.map(({ value }) => value),
      triggers: triggers.map(({ value }) => value).length,
      queue: await records.get(QUEUES, [id]),
      saga: await records.get(SAGAS, [SCOPE.tenant, SCOPE.branch, id]),
    };
  });
}

test("a package is activated wholly: account, tags, event sources, queue, hooks", async () => {
  const { id } = await draft();
  const said: string[] = [];
  const active = await host.snapIns.activate(SCOPE, id, { progress: (text) => said.push(text) });
  expect(active).toMatchObject({ state: "active", stateReason: null, inputs: { fail: "", count: 4 }, keyrings: { remote: "remote" } });
  expect(said).toHaveLength(SAGA_PLANS.activate.steps.length);
  expect(active.eventSources).toHaveLength(2);
  expect(active.eventSources[0]?.setupInstructions).toBe(`Send to ${active.eventSources[0]?.triggerUrl ?? "?"} as source_0`);
  expect(Object.keys(active.tags)).toEqual(["seen"]);
  expect(await host.snapIns.serviceAccount(SCOPE, active.serviceAccountId ?? "")).toEqual({
    id: active.serviceAccountId,
    displayName: "Tester",
    scopes: ["ticket:read", "ticket:write"],
    impersonate: [{ actAs: "all_devusers", scopes: ["issue:read"] }],
  });
});

test("a function gets the whole event, and the secret is in no log", async () => {
  const { id, package: name } = await draft();
  const active = await host.snapIns.activate(SCOPE, id);
  const outcome = await host.engine.invoke({
    ...SCOPE,
    actor: { kind: "key", keyId: "me", scopes: ["admin"] },
    source: "native",
    path: `@${name}/show`,
    internalAllowed: true,
    argsText: '{"parameters":"x"}',
    priority: "normal",
  });
  if (outcome.status !== "succeeded") throw outcome.error;
  const { event } = JSON.parse(outcome.valueText) as {
    readonly event: { readonly context: { readonly secrets: { readonly service_account_token: string } } };
  };
  expect(event).toMatchObject({
    payload: { parameters: "x" },
    context: {
      dev_oid: "don:identity:plinth:devo/default",
      service_account_id: active.serviceAccountId,
      snap_in_id: expect.stringContaining(id) as string,
    },
    execution_metadata: { function_name: "show", event_type: "api", devrev_endpoint: "http://127.0.0.1:1", request_id: outcome.id },
    input_data: {
      global_values: { fail: "", count: 4 },
      keyrings: { remote: "s3cr3t-value" },
      resources: { keyrings: { remote: { secret: "s3cr3t-value" } }, tags: active.tags },
      event_sources: Object.fromEntries(active.eventSources.map((source) => [source.name, source.id])),
    },
  });
  const token = event.context.secrets.service_account_token;
  expect(await host.snapIns.tokens.verify(SCOPE, token)).toMatchObject({ scopes: ["ticket:read", "ticket:write"] });
  expect(await host.snapIns.tokens.verify({ ...SCOPE, branch: "dev" }, token)).toBeUndefined();
  expect(outcome.logs.map(({ text }) => text).join("\n")).toContain("secret is ");
  expect(JSON.stringify([outcome.logs, host.logLines])).not.toContain("s3cr3t-value");
  // Tokens are stored as digests, and end with the account.
  await host.snapIns.deactivate(SCOPE, id);
  expect(await host.snapIns.tokens.verify(SCOPE, token)).toBeUndefined();
  const tokens = await host.database.read(SCOPE, ({ records }) =>
    records.range(SERVICE_TOKENS, { prefix: [active.serviceAccountId ?? ""], limit: 10 }),
  );
  expect(tokens).toEqual([]);
});

describe("every step of every saga fails in turn, and nothing is left of it", () => {
  for (const kind of ["activate", "deactivate", "upgrade"] as const) {
    for (const step of SAGA_PLANS[kind].steps) {
      for (const when of ["before", "outside"] as const) {
        test(`${kind} at ${step.name} (${when})`, async () => {
          const { id } = await draft();
          if (kind !== "activate") await host.snapIns.activate(SCOPE, id);
          const before = await stateOf(id);
          probe = (at) => {
            if (at.saga.snapInId === id && at.step === step.name && at.when === when)
              throw plinthError("BadRequest", { detail: "injected" });
          };
          const after = await run(kind, id).finally(() => (probe = () => {}));
          expect(after.stateReason).toContain("injected");
          expect(after.state).toBe(kind === "activate" ? "error" : "active");
          expect(await stateOf(id)).toEqual(before);
          // Nothing stands in the way of the next try.
          expect((await run(kind, id)).state).toBe(kind === "deactivate" ? "inactive" : "active");
        });
      }
    }
  }
});

async function run(kind: "activate" | "deactivate" | "upgrade", id: string): Promise<SnapIn> {
  switch (kind) {
    case "activate":
      return await host.snapIns.activate(SCOPE, id);
    case "deactivate":
      return await host.snapIns.deactivate(SCOPE, id);
    case "upgrade":
      return await host.snapIns.upgrade(SCOPE, id, { version: versions[1] ?? "" });
  }
}

test("an undo that fails for a while is tried again until it succeeds", async () => {
  const { id } = await draft();
  const before = await stateOf(id);
  let failures = 0;
  probe = (at) => {
    if (at.saga.snapInId !== id) return;
    if (at.step === "queue" && at.when === "before") throw plinthError("BadRequest", { detail: "injected" });
    if (at.step === "tags" && at.when === "undo" && failures++ < 2) throw new Error("the undo fails");
  };
  const after = await host.snapIns.activate(SCOPE, id).finally(() => (probe = () => {}));
  expect(failures).toBe(3);
  expect(after.state).toBe("error");
  expect(await stateOf(id)).toEqual(before);
});

test("a hook that throws is shown in its own words, and everything is undone", async () => {
  const { id } = await draft();
  await host.snapIns.configure(SCOPE, id, { inputs: { fail: "activate" } });
  const before = await stateOf(id);
  const after = await host.snapIns.activate(SCOPE, id);
  expect(after).toMatchObject({ state: "error", stateReason: "The activate hook of the package refused: the activate hook says no" });
  expect(await stateOf(id)).toEqual(before);
});

test("a hook that hangs is ended at its time limit, and everything is undone", { timeout: 20_000 }, async () => {
  const name = `tester${++count}`;
  const limited = (text: string): string =>
    text.replace("description: on_activate\n", "description: on_activate\n    config:\n      runtime:\n        timeout_seconds: 1\n");
  await host.upload(name, testPackage({ manifest: limited }));
  const { id } = await host.snapIns.install(SCOPE, { package: name });
  await host.snapIns.configure(SCOPE, id, { inputs: { fail: "hang activate" } });
  const before = await stateOf(id);
  const after = await host.snapIns.activate(SCOPE, id);
  expect(after).toMatchObject({ state: "error", stateReason: expect.stringContaining("timed out") as string });
  expect(await stateOf(id)).toEqual(before);
});

test("a keyring is delivered only to the functions that declare it", async () => {
  const name = `tester${++count}`;
  const undeclared = (text: string): string =>
    text.replace("description: show\n", "description: show\n    config:\n      runtime:\n        keyrings: []\n");
  await host.upload(name, testPackage({ manifest: undeclared }));
  const { id } = await host.snapIns.install(SCOPE, { package: name });
  await host.snapIns.activate(SCOPE, id);
  const outcome = await host.engine.invoke({
    ...SCOPE,
    actor: { kind: "key", keyId: "me", scopes: ["admin"] },
    source: "native",
    path: `@${name}/show`,
    internalAllowed: true,
    argsText: "{}",
    priority: "normal",
  });
  if (outcome.status !== "succeeded") throw outcome.error;
  expect(outcome.valueText).not.toContain("s3cr3t-value");
  expect(JSON.parse(outcome.valueText)).toMatchObject({ event: { input_data: { keyrings: {}, resources: { keyrings: {} } } } });
});

test("a deactivation whose hook fails leaves the snap-in active, unless it is forced", async () => {
  const { id } = await draft();
  await host.snapIns.configure(SCOPE, id, { inputs: { fail: "deactivate" } });
  await host.snapIns.activate(SCOPE, id);
  expect(await host.snapIns.deactivate(SCOPE, id)).toMatchObject({ state: "active" });
  expect(await host.snapIns.deactivate(SCOPE, id, { force: true })).toMatchObject({ state: "inactive", serviceAccountId: null });
});

test("a validate hook that says no keeps a configuration out", async () => {
  const { id } = await draft();
  await host.snapIns.activate(SCOPE, id);
  await expect(host.snapIns.configure(SCOPE, id, { inputs: { fail: "validate" } })).rejects.toMatchObject({ code: "HookRefused" });
  expect((await host.snapIns.get(SCOPE, id))?.inputs).toMatchObject({ fail: "" });
  await expect(host.snapIns.configure(SCOPE, id, { inputs: { count: "three" } })).rejects.toMatchObject({ code: "InvalidInputs" });
  await expect(host.snapIns.configure(SCOPE, id, { inputs: { other: 1 } })).rejects.toMatchObject({ code: "InvalidInputs" });
});

test("sources keep their URL over deactivation and upgrade", async () => {
  const { id } = await draft();
  const first = await host.snapIns.activate(SCOPE, id);
  await host.snapIns.deactivate(SCOPE, id);
  const second = await host.snapIns.activate(SCOPE, id);
  expect(second.eventSources).toEqual(first.eventSources);
  const third = await host.snapIns.upgrade(SCOPE, id, { version: versions[1] ?? "" });
  expect(third).toMatchObject({ state: "active", version: versions[1], serviceAccountId: second.serviceAccountId });
  const urls = (sources: SnapIn["eventSources"]): readonly (string | null)[] => sources.map(({ triggerUrl }) => triggerUrl);
  expect(urls(third.eventSources).slice(0, 2)).toEqual(urls(second.eventSources));
});

test("an upgrade that takes an input or a source away is refused before anything happens", async () => {
  const { id, package: name } = await draft();
  await host.snapIns.activate(SCOPE, id);
  const fewer = await host.upload(name, testPackage({ eventSources: 1, mark: "three" }));
  await expect(host.snapIns.upgrade(SCOPE, id, { version: fewer.version })).rejects.toMatchObject({ code: "UpgradeRefused" });
  const typed = await host.upload(
    name,
    testPackage({ mark: "four", manifest: (text) => text.replace("field_type: int", "field_type: double") }),
  );
  await expect(host.snapIns.upgrade(SCOPE, id, { version: typed.version })).rejects.toMatchObject({ code: "UpgradeRefused" });
  expect((await host.snapIns.get(SCOPE, id))?.version).toBe(versions[0]);
});

test("what is missing is named: keyrings, packages, states", async () => {
  const name = `tester${++count}`;
  await host.upload(name, testPackage({ manifest: (text) => text.replace("- name: remote", "- name: nowhere") }));
  const { id } = await host.snapIns.install(SCOPE, { package: name });
  const after = await host.snapIns.activate(SCOPE, id);
  expect(after).toMatchObject({ state: "error", stateReason: expect.stringContaining("needs the keyring 'nowhere'") as string });
  await expect(host.snapIns.install(SCOPE, { package: name })).rejects.toMatchObject({ code: "AlreadyExists" });
  await expect(host.snapIns.install(SCOPE, { package: "nothing" })).rejects.toMatchObject({ code: "NotFound" });
  await expect(host.snapIns.deactivate(SCOPE, id)).rejects.toMatchObject({ code: "WrongState" });
  await expect(host.snapIns.install({ ...SCOPE, branch: "dev" }, { package: name })).rejects.toMatchObject({ code: "NotFound" });
});

/** Calls `show`; what it says of itself and of its event. */
async function show(name: string) {
  const outcome = await host.engine.invoke({
    ...SCOPE,
    actor: { kind: "key", keyId: "me", scopes: ["admin"] },
    source: "native",
    path: `@${name}/show`,
    internalAllowed: true,
    argsText: "{}",
    priority: "normal",
  });
  if (outcome.status !== "succeeded") throw outcome.error;
  return JSON.parse(outcome.valueText) as {
    readonly mark: string;
    readonly event: { readonly context: { readonly secrets: object }; readonly input_data: { readonly keyrings: object } };
  };
}

test("an active snap-in's version serves its calls, and only while it is active do they get credentials", async () => {
  const { id, package: name } = await draft();
  const without = { secrets: { service_account_token: "" } };
  // The head is the second version; nothing of the draft's is delivered.
  expect(await show(name)).toMatchObject({ mark: "two", event: { context: without, input_data: { keyrings: {} } } });
  await host.snapIns.activate(SCOPE, id);
  expect(await show(name)).toMatchObject({ mark: "one", event: { input_data: { keyrings: { remote: "s3cr3t-value" } } } });
  await host.snapIns.upgrade(SCOPE, id, { version: versions[1] ?? "" });
  expect((await show(name)).mark).toBe("two");
  await host.snapIns.deactivate(SCOPE, id);
  const after = await show(name);
  expect(after).toMatchObject({ mark: "two", event: { context: without } });
  expect(after.event.input_data.keyrings).toEqual({});
});

test("a version whose files are lost can still be deactivated and removed, when it is forced", async () => {
  const { id } = await draft();
  await host.snapIns.activate(SCOPE, id);
  const blobs: string[] = [];
  for await (const blob of host.blobs.list(SCOPE.tenant)) blobs.push(blob.digest);
  await host.sandbox.evict(SCOPE.tenant);
  await host.folders.keepOnly([]);
  for (const digest of blobs) await host.blobs.delete(SCOPE.tenant, digest);
  const kept = await host.snapIns.deactivate(SCOPE, id);
  expect(kept).toMatchObject({ state: "active", stateReason: expect.stringMatching(/cannot be read|could not read/) as string });
  await host.snapIns.remove(SCOPE, id, { force: true });
  expect(await host.snapIns.get(SCOPE, id)).toBeUndefined();
});

test("two sagas of one snap-in do not run at the same time", async () => {
  const { id } = await draft();
  const first = host.snapIns.activate(SCOPE, id);
  await expect(host.snapIns.activate(SCOPE, id)).rejects.toMatchObject({ code: "SagaInProgress" });
  expect((await first).state).toBe("active");
});

test("what is removed leaves nothing", async () => {
  const { id, package: name } = await draft();
  await host.snapIns.activate(SCOPE, id);
  await host.snapIns.remove(SCOPE, id);
  expect(await stateOf(id)).toEqual({ row: undefined, sources: [], accounts: [], triggers: 0, queue: undefined, saga: undefined });
  expect(await host.snapIns.get(SCOPE, id)).toBeUndefined();
  await host.snapIns.install(SCOPE, { package: name });
});
