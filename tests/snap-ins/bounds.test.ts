/** What installed packages may take, and that what fails or is refused changes nothing, keyring types included. */
import { limit } from "@plinth/core/limits.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  KEYRING_TYPES,
  PACKAGE_VERSIONS,
  PLATFORM_SCOPE,
  SAGAS,
  SNAP_INS_BY_PACKAGE,
} from "../../packages/server/src/database/record-tables.ts";
import { SAGA_START } from "../../packages/core/src/policy/saga.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";

let host: SnapInHost;
beforeAll(async () => {
  host = await startSnapInHost();
}, 60_000);
afterAll(async () => {
  await host.stop();
  await host.remove();
});

/** Its keyring type asks for tokens at `tokenHost`. */
function files(tokenHost: string) {
  return {
    "manifest.yaml": `version: "2"
name: bounded
description: For tests.
keyrings:
  organization:
    - name: remote
      description: A secret.
      display_name: Remote
      types: [snap_in_secret]
keyring_types:
  - id: remote-type
    name: Remote
    description: Remote.
    kind: secret
    external_system_name: Remote
    secret_config:
      fields:
        - id: token
          name: Token
          description: Token
      token_verification:
        url: https://${tokenHost}/verify
        method: GET
inputs:
  organization:
    - name: text
      description: A text.
      field_type: text
      default_value: ""
    - name: answer
      description: What the activate hook answers.
      field_type: json_value
      default_value: {}
functions:
  - name: on_hook
    description: A hook.
hooks:
  - type: activate
    function: on_hook
  - type: update
    function: on_hook
`,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": `exports.functionFactory = { on_hook: async (events) => {
      if (events[0].execution_metadata.event_type.endsWith("update")) throw new Error("no update");
      const { answer } = events[0].input_data.global_values;
      return answer.large === undefined ? answer : { inputs_values: { text: "x".repeat(answer.large) } };
    } };`,
  };
}

async function verificationUrl(): Promise<string | undefined> {
  const type = await host.database.read(SCOPE, ({ records }) => records.get(KEYRING_TYPES, ["bounded", "remote-type"]));
  return type?.secretConfig?.tokenVerification?.url;
}

test("keyring types move with the snap-in: not with an install that is refused, nor with an upgrade that is undone", async () => {
  const { version: one } = await host.upload("bounded", files("one.example"));
  const { version: two } = await host.upload("bounded", files("two.example"));
  const { id } = await host.snapIns.install(SCOPE, { package: "bounded", version: one });
  expect(await verificationUrl()).toBe("https://one.example/verify");
  await expect(host.snapIns.install(SCOPE, { package: "bounded", version: two })).rejects.toMatchObject({ code: "AlreadyExists" });
  expect(await verificationUrl()).toBe("https://one.example/verify");
  await host.keyrings.create(SCOPE, { name: "remote", type: "snap_in_secret", fields: { secret: "secret" } });
  expect((await host.snapIns.activate(SCOPE, id)).state).toBe("active");
  expect(await host.snapIns.upgrade(SCOPE, id, { version: two })).toMatchObject({ version: one, state: "active" });
  expect(await verificationUrl()).toBe("https://one.example/verify");
  await host.snapIns.deactivate(SCOPE, id);
  await host.snapIns.upgrade(SCOPE, id, { version: two });
  expect(await verificationUrl()).toBe("https://two.example/verify");
}, 60_000);

test("inputs have a limit, and an answer of the activate hook is checked like what people send", async () => {
  const id = await host.database.read(SCOPE, ({ records }) => records.get(SNAP_INS_BY_PACKAGE, ["bounded"]));
  const snapIn = { id: String(id) };
  const max = limit("snapInInputsBytesMax");
  await expect(host.snapIns.configure(SCOPE, snapIn.id, { inputs: { text: "x".repeat(max) } })).rejects.toMatchObject({
    code: "RequestTooLarge",
  });
  for (const [answer, reason] of [
    [{ large: max }, "may have"],
    [{ inputs_values: { text: { no: "text" } } }, "has to be a text"],
  ] as const) {
    await host.snapIns.configure(SCOPE, snapIn.id, { inputs: { answer } });
    const { state, stateReason, inputs } = await host.snapIns.activate(SCOPE, snapIn.id);
    expect([state, inputs["text"] ?? ""]).toEqual(["error", ""]);
    expect(stateReason).toContain(reason);
  }
  await host.snapIns.configure(SCOPE, snapIn.id, { inputs: { answer: { inputs_values: { text: "set", other: 1 } } } });
  expect(await host.snapIns.activate(SCOPE, snapIn.id)).toMatchObject({ state: "active", inputs: { text: "set" } });
  await host.snapIns.deactivate(SCOPE, snapIn.id);
}, 60_000);

test("only keyrings that the manifest declares are bound", async () => {
  const id = String(await host.database.read(SCOPE, ({ records }) => records.get(SNAP_INS_BY_PACKAGE, ["bounded"])));
  await expect(host.snapIns.configure(SCOPE, id, { keyrings: { elsewhere: "remote" } })).rejects.toMatchObject({
    code: "BadRequest",
    message: expect.stringContaining("it declares remote") as string,
  });
  expect((await host.snapIns.configure(SCOPE, id, { keyrings: { remote: "other" } })).keyrings["remote"]).toBe("other");
  await host.snapIns.configure(SCOPE, id, { keyrings: { remote: "remote" } });
});

test("no more packages are installed than are looked at", async () => {
  const scope = { ...SCOPE, branch: "dev" };
  await host.upload("bounded", files("one.example"), scope);
  await host.database.update(scope, async ({ records }) => {
    for (let i = 0; i < limit("snapInsPerBranchMax"); i++) records.put(SNAP_INS_BY_PACKAGE, [`p${i}`], `snapin_${i}`);
    await Promise.resolve();
  });
  await expect(host.snapIns.install(scope, { package: "bounded" })).rejects.toMatchObject({ code: "RequestTooLarge" });
}, 60_000);

test("a version that is collected while it is installed is refused", async () => {
  const scope = { ...SCOPE, branch: "dev" };
  await host.database.update(scope, async ({ records }) => {
    records.delete(SNAP_INS_BY_PACKAGE, ["p0"]);
    await Promise.resolve();
  });
  const { version } = await host.upload("bounded", files("three.example"), scope);
  const read = host.packages.version.bind(host.packages);
  host.packages.version = async (...request) => {
    const found = await read(...request);
    await host.database.update(scope, async ({ records }) => {
      records.delete(PACKAGE_VERSIONS, ["bounded", version]);
      await Promise.resolve();
    });
    return found;
  };
  try {
    await expect(host.snapIns.install(scope, { package: "bounded", version })).rejects.toMatchObject({ code: "VersionCollected" });
  } finally {
    host.packages.version = read;
  }
}, 60_000);

test("a saga whose snap-in is gone is forgotten at the next start", async () => {
  const key = ["gone", "main", "snapin_gone"];
  await host.database.update(PLATFORM_SCOPE, async ({ records }) => {
    records.put(SAGAS, key, {
      id: "saga_gone",
      snapInId: "snapin_gone",
      kind: "activate",
      version: null,
      force: false,
      isDeletion: false,
      state: SAGA_START,
      undo: [],
      createdMs: 1,
    });
    await Promise.resolve();
  });
  await host.snapIns.start();
  await expect
    .poll(() => host.database.read(PLATFORM_SCOPE, ({ records }) => records.get(SAGAS, key)), { timeout: 10_000 })
    .toBeUndefined();
});
