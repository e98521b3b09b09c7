/** A package with every kind of resource, whose hooks do what an input says. */
import type { Files } from "../../packages/server/src/packages/test-packages.ts";

export interface TestPackageOptions {
  readonly eventSources?: number;
  /** A word that the code has, so that versions differ. */
  readonly mark?: string;
  readonly manifest?: (text: string) => string;
}

/** `fail` as input: name of a hook that throws, `hang` of one that never ends. */
export function testPackage({ eventSources = 2, mark = "one", manifest = (text) => text }: TestPackageOptions = {}): Files {
  const sources = Array.from(
    { length: eventSources },
    (_, index) => `    - name: source_${index}
      description: A source.
      display_name: Source ${index}
      type: flow-custom-webhook
      setup_instructions: "Send to {{source.trigger_url}} as {{ source.name }}"
      config:
        policy: |
          package rego
          output = {"event": input.request.body, "event_key": "x"}
`,
  ).join("");
  const hooks = ["validate", "activate", "deactivate", "update"].map((type) => `  - type: ${type}\n    function: on_${type}\n`).join("");
  const functions = ["on_validate", "on_activate", "on_deactivate", "on_update", "show"];
  return {
    "manifest.yaml": manifest(`version: "2"
name: tester
description: For tests.
service_account:
  display_name: Tester
  scopes:
    self:
      - scope: ticket:read
      - scope: ticket:write
    impersonate:
      - act_as: all_devusers
        scopes:
          - scope: issue:read
keyrings:
  organization:
    - name: remote
      description: A secret.
      display_name: Remote
      types:
        - snap_in_secret
inputs:
  organization:
    - name: fail
      description: Which hook fails.
      field_type: text
      default_value: ""
    - name: count
      description: A number.
      field_type: int
      default_value: 3
tags:
  - name: seen
    description: Seen.
event_sources:
  organization:
${sources}functions:
${functions.map((name) => `  - name: ${name}\n    description: ${name}\n`).join("")}hooks:
${hooks}commands:
  - name: show
    namespace: tester
    description: Show.
    surfaces:
      - surface: discussions
        object_types:
          - ticket
    usage_hint: ""
    function: show
`),
    "code/package.json": '{"name":"tester","main":"./dist/index.js"}',
    "code/dist/index.js": `
const hook = (type) => async (events) => {
  const { fail } = events[0].input_data.global_values;
  console.log(type, ${JSON.stringify(mark)}, events[0].execution_metadata.event_type);
  if (fail === type) throw new Error("the " + type + " hook says no");
  if (fail === "hang " + type) await new Promise((resolve) => setTimeout(resolve, 1e9));
  return type === "activate" ? { inputs_values: { count: 4 } } : {};
};
exports.functionFactory = {
  on_validate: hook("validate"), on_activate: hook("activate"), on_deactivate: hook("deactivate"), on_update: hook("update"),
  show: async (events) => { console.log("secret is " + events[0].input_data.keyrings.remote); return { mark: ${JSON.stringify(mark)}, event: events[0] }; },
};`,
  };
}
