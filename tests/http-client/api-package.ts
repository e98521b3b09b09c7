/** A package with something for every part of the API: events, sources of users, a command, an import, files that calls leave. */
const MANIFEST = `version: "2"
name: parts
description: For tests.
service_account:
  display_name: Parts
  scopes:
    self:
      - scope: ticket:read
inputs:
  organization:
    - name: note
      description: A note.
      field_type: text
      default_value: ""
event_sources:
  organization:
    - name: flow
      type: flow-events
  user:
    - name: mine
      type: devrev-webhook
      config:
        event_types: [account_created]
functions:
  - name: work
    description: Leaves a file, or fails.
automations:
  - name: flow
    source: flow
    event_types: ["custom:fail"]
    function: work
commands:
  - name: work
    namespace: parts
    description: Works.
    surfaces:
      - surface: discussions
        object_types: [issue]
    usage_hint: "[what]"
    function: work
imports:
  - slug: things
    display_name: Things
    description: Things of a test.
    extractor_function: work
    allowed_connection_types:
      - snap_in_secret
`;

/** Versions differ by the note. */
export function apiPackage(note: string): Readonly<Record<string, string>> {
  return {
    "manifest.yaml": MANIFEST,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": `// ${note}
exports.functionFactory = { work: async ([{ payload }]) => {
  if (payload.fail) throw new Error("no good");
  const bodyBase64 = Buffer.from("left").toString("base64");
  await Convex.asyncSyscall("plinth/saveArtefact", JSON.stringify({ name: "report.txt", contentType: "text/plain", bodyBase64 }));
  return { done: true };
} };`,
  };
}
