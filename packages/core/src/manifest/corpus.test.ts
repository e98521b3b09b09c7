/**
 * Every manifest of `test/manifests` has exactly the findings of the file beside it. After a change of words run
 * `npx vitest run packages/core/src/manifest --update` and read the difference.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Manifest, ManifestFinding } from "./manifest.ts";
import { parseManifest } from "./parse-manifest.ts";
import { readYaml } from "./yaml-source.ts";

const FOLDER = join(import.meta.dirname, "../../test/manifests");
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.slice(0, -".yaml".length));

interface Outcome {
  readonly manifest: Manifest | null;
  readonly findings: readonly ManifestFinding[];
}

function read(name: string): Outcome {
  const source = readYaml(readFileSync(join(FOLDER, `${name}.yaml`), "utf8"));
  if (source.json === undefined) return { manifest: null, findings: source.findings };
  // What a jail returns is JSON text.
  const { json, lines } = JSON.parse(JSON.stringify(source)) as { json: unknown; lines: unknown };
  const { manifest, findings } = parseManifest(json, lines);
  return { manifest, findings: [...source.findings, ...findings] };
}

test("the corpus is there", () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(40);
});

test.each(NAMES)("%s has exactly its findings", async (name) => {
  const { manifest, findings } = read(name);
  await expect(`${JSON.stringify(findings, null, 2)}\n`).toMatchFileSnapshot(join(FOLDER, `${name}.findings.json`));
  expect(manifest === null).toBe(findings.some(({ severity }) => severity === "error"));
});

test.each(NAMES.filter((name) => name.startsWith("good-")))("%s has no finding", (name) => {
  expect(read(name)).toMatchObject({ findings: [], manifest: {} });
});

test.each(NAMES.filter((name) => name.startsWith("warn-")))("%s has warnings only", (name) => {
  const { findings } = read(name);
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
});

test.each(NAMES.filter((name) => name.startsWith("bad-")))("%s has an error with a line for each mistake", (name) => {
  const errors = read(name).findings.filter(({ severity }) => severity === "error");
  expect(errors.length).toBeGreaterThan(0);
  for (const { message, line } of errors) {
    expect(line).toBeGreaterThan(0);
    expect(message).toMatch(/[.?]$/);
  }
});

describe("what good manifests become", () => {
  const parts: Readonly<Record<string, object>> = {
    "good-minimal": {
      version: "2",
      name: "Smallest",
      serviceAccount: null,
      functions: [],
      eventSources: { organization: [], user: [] },
      plinth: { runtime: "auto", reuse: null },
    },
    "good-version-as-number": { version: "2" },
    "good-service-account": {
      serviceAccount: {
        displayName: "Scoped bot",
        self: [
          { scope: "ticket:read", optional: false, reason: "Reads the tickets that it counts." },
          { optional: true, reason: null },
          {},
          {},
          {},
        ],
        impersonate: [{ actAs: "all_devusers", scopes: [{ scope: "conversation:write" }] }],
      },
    },
    "good-scopes-empty": { serviceAccount: { self: [], impersonate: [] } },
    "good-scopes-null": { serviceAccount: { self: [], impersonate: [] } },
    "good-keyrings": {
      developerKeyrings: [{ name: "app-secret", displayName: "App" }],
      keyrings: { organization: [{ types: ["snap_in_secret", "weather-key"] }], user: [{ name: "own_pat", displayName: "Own token" }] },
      functions: [{ keyrings: ["weather_key", "own_pat", "app-secret"] }],
    },
    "good-keyring-type-secret": {
      keyringTypes: [
        {
          kind: "secret",
          isSubdomain: true,
          secretConfig: {
            secretTransform: '.key + ":x" | @base64',
            fields: [{ id: "key", isOptional: false }, { isOptional: true }],
            tokenVerification: { method: "GET", headers: { Authorization: "Basic [API_KEY]" }, queryParameters: { limit: "1" } },
          },
        },
      ],
    },
    "good-keyring-type-oauth": {
      keyringTypes: [
        {
          kind: "oauth2",
          scopeDelimiter: ",",
          oauthSecret: "board-oauth",
          authorize: {
            grantType: "authorization_code",
            authQueryParameters: { scope: "[SCOPE]" },
            tokenQueryParameters: { scope: "[SCOPES]" },
          },
          organizationData: { method: "GET", responseJq: ".teams[] | {id, name}" },
          refresh: { method: "POST", queryParameters: { refresh_token: "[REFRESH_TOKEN]" } },
          revoke: { url: "https://board.example/oauth/revoke" },
        },
      ],
    },
    "good-keyring-type-reference": { keyringTypes: [{ referenceKeyring: "devrev-slack-oauth", authorize: null }] },
    "good-organization-data-in-secret-config": {
      keyringTypes: [{ kind: "secret", organizationData: { responseJq: "{id: .key, name: .title}" } }],
    },
    "good-event-sources": {
      eventSources: {
        organization: [
          { name: "platform", filterJq: '.type == "work_created"', config: { event_types: ["work_created", "work_updated"] } },
          { name: "shop", displayName: "shop", config: { parameters: { secret: "1234" } } },
          { type: "flow-events", config: {} },
          { config: { cron: "30 2 * * MON-FRI", metadata: { job: "cleanup" } } },
          { config: { interval_seconds: 600 } },
          { config: { allowlist: { emails: ["boss@example.com"], domains: ["example.org"] } } },
        ],
        user: [{ name: "mine", filterJq: ".work_updated.work.owned_by[0].id == $user.id" }],
      },
      automations: [{ source: "platform", eventTypes: ["work_created"], function: "handle" }, {}, {}, {}, {}, {}],
    },
    "good-inputs": {
      inputs: {
        organization: [
          { name: "greeting", isRequired: true, defaultValue: "Hello", ui: { display_name: "Greeting", is_hidden: false } },
          { defaultValue: false },
          { defaultValue: 3 },
          { defaultValue: 0.5 },
          { allowedValues: ["red", "green"] },
          { idType: ["product", "feature"] },
          { baseType: "text", defaultValue: ["a", "b"] },
          { fieldType: "array", baseType: "enum" },
          { defaultValue: "" },
          { defaultValue: { deep: [1, { er: true }] } },
          { defaultValue: { x: 1 } },
        ],
        user: [{ name: "nickname", baseType: null }],
      },
    },
    "good-functions": {
      functions: [
        { supportsSynchronization: false, maxRetries: 0, timeoutMs: null, memoryBytes: null, scratchBytes: 0, keyrings: null },
        { supportsSynchronization: true },
        { maxRetries: 10, minIntervalMs: 1500, timeoutMs: 900_000, memoryBytes: 1_073_741_824, scratchBytes: 536_870_912, keyrings: [] },
      ],
      plinth: { runtime: "python", reuse: false },
    },
    "good-commands": {
      commands: [
        {
          name: "ask",
          namespace: "demo",
          surfaces: [{ objectTypes: ["issue", "ticket", "snap_in", "part"] }, { surface: "customer_chat" }],
        },
        { namespace: "other", usageHint: "" },
      ],
      tags: [{ name: "seen", description: "Was looked at." }, { name: "needs work" }],
    },
    "good-hooks-and-snap-kit": {
      hooks: [{ type: "validate", function: "check" }, { type: "activate" }, { type: "deactivate" }, { type: "update" }],
      snapKitActions: [{ name: "pressed", function: "press" }],
      snapComponents: [
        { initializer: "draw", snapKitBody: null },
        { initializer: null, snapKitBody: { snaps: [] } },
      ],
      configurationHandler: { organization: { snapKitActionName: "pressed" }, user: { initializer: "draw", snapKitActionName: null } },
    },
    "good-operations": {
      operations: [
        {
          slug: "add",
          isAgentSkill: true,
          staticScopes: [{ scope: "ticket:read" }],
          keyrings: [{ name: "abacus" }],
          inputs: [{ name: "numbers", baseType: "double", isRequired: true }, { fieldType: "timestamp" }],
          outputs: [{ name: "sum" }, { name: "day" }],
          defaultTimeoutMs: 45_000,
        },
        { type: "trigger", isWorkflowNode: true, isAgentSkill: false, defaultTimeoutMs: null },
      ],
    },
    "good-imports": {
      imports: [
        { extractorFunction: "extract", loaderFunction: "load", capabilities: ["TIME_SCOPED_SYNCS"] },
        { loaderFunction: null, capabilities: [] },
      ],
      buildConfig: {
        environmentVariables: [
          { type: "keyring", value: "registry" },
          { type: "text", value: "production" },
        ],
      },
    },
    "good-version-one": {
      version: "1",
      keyrings: { organization: [{ name: "bot", types: ["devrev-flow-secret"] }], user: [] },
      developerKeyrings: [{ name: "store" }],
      eventSources: { organization: [{ name: "platform", type: "devrev-webhook" }], user: [] },
      inputs: {
        organization: [
          { fieldType: "array", baseType: "enum", allowedValues: ["chat", "mail"], defaultValue: ["chat"] },
          { fieldType: "id", idType: ["devu"], isRequired: true },
          { fieldType: "int", defaultValue: 90 },
        ],
        user: [],
      },
    },
    "good-null-sections": { functions: [], inputs: { organization: [], user: [] } },
    "good-comments-and-scalars": {
      name: "Folded name",
      description: 'Line one\n  indented: no key\nLine three with "quotes", [brackets] and - hyphens\n',
      functions: [{ name: "flow_style" }],
      tags: [{ name: "a" }, { description: "it's b" }],
    },
    "good-norway-quoted": { inputs: { organization: [{ allowedValues: ["no", "dk", "on"], defaultValue: "no" }] } },
  };

  test.each(NAMES.filter((name) => name.startsWith("good-")))("%s", (name) => {
    expect(read(name).manifest).toMatchObject(parts[name] ?? { missing: "add what it becomes" });
  });
});
