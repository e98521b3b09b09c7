/** What keys of applications reach through the interface that snap-ins call back: no more than through the native one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at } from "../../packages/server/src/doors/test/test-host.ts";
import { startCalledHost, type CalledHost } from "./test-callers.ts";

const FILES = {
  "manifest.yaml": `version: "2"
name: keeper
description: For tests.
service_account:
  display_name: Keeper
functions:
  - name: echo
    description: Answers with its event.
inputs:
  organization:
    - name: greeting
      description: A text.
      field_type: text
      default_value: hello
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
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": "exports.functionFactory = { echo: async ([event]) => event };",
};

let host: CalledHost;
let snapIn: string;
beforeAll(async () => {
  host = await startCalledHost();
  snapIn = await host.bring("keeper", FILES);
}, 60_000);
afterAll(() => host.remove());

describe("a key", () => {
  const reading = ["snap-ins.get", "snap-ins.list", "event-sources.list"];
  const changing = ["snap-ins.update", "snap-ins.system-update"];
  const ofAdmins = ["keyrings.list"];

  it.each([
    ["invoke", [], [...reading, ...changing, ...ofAdmins]],
    ["read", reading, [...changing, ...ofAdmins, "commands.list"]],
    ["deploy", [...reading, ...changing], ofAdmins],
    ["admin", [...reading, ...changing, ...ofAdmins, "commands.list"], []],
  ] as const)("with `%s` calls what its scope is for", { timeout: 30_000 }, async (scope, may, mayNot) => {
    const { key } = await host.key([scope]);
    const send = async (call: string) =>
      await host.send(`/${call}`, { key, body: { id: snapIn, status: "active", inputs_values: { greeting: `by ${scope}` } } });
    for (const call of may) {
      const answer = await send(call);
      expect(answer.status, `${call}: ${answer.text}`).toBe(200);
    }
    for (const call of mayNot) {
      const answer = await send(call);
      expect(answer.status, `${call}: ${answer.text}`).toBe(403);
      expect(at(answer, "code")).toBe("Forbidden");
      expect(answer.text).not.toContain("greeting");
    }
  });
});
