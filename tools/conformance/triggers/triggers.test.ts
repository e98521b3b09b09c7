import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drivePackage } from "./drive-package.ts";
import { formsOf } from "./shown-forms.ts";
import { judge } from "./trigger-report.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-triggers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MANIFEST = `version: "2"
name: sample
description: For tests.
service_account:
  display_name: Bot
event_sources:
  organization:
    - name: works
      type: devrev-webhook
      config:
        event_types: [work_created]
    - name: pushes
      type: flow-custom-webhook
      config:
        parameters:
          secret: sample
        policy: |
          package rego
          signature := sprintf("sha256=%s", [crypto.hmac.sha256(base64.decode(input.request.body_raw), input.parameters.secret)])
          output = {"event": input.request.body, "event_key": "push"} {
            input.request.headers["X-Hub-Signature-256"] == signature
          } else = {"response": {"status_code": 401}} { true }
    - name: ticks
      type: timer-events
      config:
        cron: "*/30 * * * *"
functions:
  - name: comment
    description: Comments.
  - name: ask
    description: Asks for what is not there.
  - name: reach
    description: Asks another system.
automations:
  - name: on_work
    source: works
    event_types: [work_created]
    function: comment
  - name: on_push
    source: pushes
    event_types: ["custom:push"]
    function: ask
  - name: on_tick
    source: ticks
    event_types: [timer.tick]
    function: reach
commands:
  - name: say
    namespace: sample
    description: Shows a form.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    usage_hint: "[text]"
    function: comment
snap_kit_actions:
  - name: pressed
    description: A button.
    function: comment
`;

const CODE = `const call = async (event, name, body) => {
  const { secrets } = event.context;
  const response = await fetch(event.execution_metadata.devrev_endpoint + "/" + name, {
    method: "POST",
    headers: { authorization: secrets.service_account_token, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error("refused with " + response.status);
};
exports.functionFactory = {
  comment: async ([event]) => {
    const { payload } = event;
    const button = { type: "button", action_id: "ok", value: "ok" };
    const form = { snap_in_id: event.context.snap_in_id, snap_in_action_name: "pressed", body: { snaps: [{ type: "actions", elements: [button] }] } };
    const object = payload.source_id ?? payload.context?.parent_core_object_id ?? payload.work_created.work.id;
    await call(event, "timeline-entries.create", { object, body: "Hello", ...(payload.source_id === undefined ? {} : { snap_kit_body: form }) });
  },
  ask: async ([event]) => await call(event, "nothing.create", {}),
  reach: async () => await fetch("https://system.invalid/"),
};`;

test("each trigger is real, and what went wrong is told apart", { timeout: 180_000 }, async () => {
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  write("manifest.yaml", MANIFEST);
  write("code/package.json", '{"name":"sample","version":"1.0.0","main":"./dist/index.js"}');
  write("code/dist/index.js", CODE);
  const { triggers } = await drivePackage(folder, { root: folder, overrides: {} });
  expect(triggers.map(({ kind, trigger, result, calls }) => [kind, trigger, result, calls.join(", ")])).toEqual([
    ["lifecycle", "activation", "passed", ""],
    ["command", "/say at ticket", "passed", "POST /timeline-entries.create 201"],
    ["snap-kit", "pressed: button ok", "passed", "POST /timeline-entries.create 201"],
    ["object event", "on_work: work_created, an issue", "passed", "POST /timeline-entries.create 201"],
    ["object event", "on_work: work_created, a ticket", "passed", "POST /timeline-entries.create 201"],
    ["webhook", "on_push: a signed push", "failed", "POST /nothing.create 404"],
    ["webhook", "on_push: a forged push", "passed", ""],
    ["webhook", "on_push: a push without a signature", "passed", ""],
    ["timer", "on_tick (*/30 * * * *)", "outside", ""],
    ["lifecycle", "deactivation", "passed", ""],
  ]);
  expect(triggers[5]?.reason).toContain("the host did not answer POST /nothing.create 404");
});

test("a result is judged by what the function said, asked for and was refused", () => {
  const line = (text: string) => ({ invocation: "1", functionPath: "a:b", level: "error", text });
  const refused = { method: "GET", path: "/works.get", status: 404, refusal: "There is no work." };
  expect(judge({ failure: undefined, lines: [], calls: [] }).result).toBe("passed");
  expect(judge({ failure: undefined, lines: [], calls: [refused] }).result).toBe("failed");
  expect(judge({ failure: undefined, lines: [line("connect ECONNREFUSED")], calls: [] }).result).toBe("outside");
  expect(judge({ failure: "TypeError: no", lines: [], calls: [] })).toMatchObject({ result: "failed", reason: "TypeError: no" });
  const dead = { ...refused, status: 503, refusal: "" };
  expect(judge({ failure: "fetch failed", lines: [], calls: [dead] }).result).toBe("failed");
});

test("forms are filled in with their first options", () => {
  const options = [{ text: { text: "Yes", type: "plain_text" }, value: "Yes" }, { value: "No" }];
  const radio = { type: "radio_buttons", action_id: "sure", options };
  const form = { type: "form", action_id: "ask", elements: [{ type: "input_layout", element: radio }] };
  const body = { snaps: [{ type: "card", elements: [form] }] };
  const entry = { id: "1", snap_kit_body: { snap_in_action_name: "answer", body } };
  expect(formsOf([{ id: "0", body: "Hello" }, entry])).toEqual([
    {
      entry: "1",
      action: "answer",
      label: 'form with "Yes"',
      body,
      element: { id: "ask", type: "form", value: { sure: { action_id: "sure", type: "radio_buttons", value: options[0] } } },
    },
  ]);
});
