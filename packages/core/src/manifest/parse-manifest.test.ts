import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limit } from "../limits.ts";
import { checkFunctions } from "./check-functions.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./parse-manifest.ts";

const GOOD = { version: "2", name: "x" };

function parsed(json: object): Manifest {
  const { manifest, findings } = parseManifest({ ...GOOD, ...json }, {});
  if (manifest === null) throw new Error(JSON.stringify(findings));
  return manifest;
}

function problems(json: unknown, lines: unknown = {}): string[] {
  return parseManifest(json, lines).findings.map(({ message }) => message);
}

describe("hostile JSON (P1–P4)", () => {
  const KEYS = [
    "version",
    "name",
    "description",
    "service_account",
    "scopes",
    "self",
    "scope",
    "keyrings",
    "organization",
    "user",
    "types",
    "event_sources",
    "event-sources",
    "type",
    "config",
    "policy",
    "cron",
    "filter",
    "jq_query",
    "inputs",
    "globals",
    "field_type",
    "base_type",
    "allowed_values",
    "default_value",
    "functions",
    "runtime",
    "automations",
    "source",
    "event_types",
    "function",
    "commands",
    "surfaces",
    "hooks",
    "operations",
    "fields",
    "imports",
    "keyring_types",
    "kind",
    "secret_config",
    "headers",
    "build_config",
    "environment_variables",
    "plinth",
    "__proto__",
    "constructor",
    "toString",
  ];
  const TEXTS = [
    "1",
    "2",
    "text",
    "enum",
    "array",
    "secret",
    "oauth2",
    "timer-events",
    "devrev-webhook",
    "* * * * *",
    "don:x",
    "a/b",
    "",
    "validate",
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 7 },
      fc.constantFrom(...TEXTS),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("tree"), { maxLength: 5 }),
      fc.array(fc.tuple(fc.constantFrom(...KEYS), tie("tree")), { maxLength: 12 }).map((entries) => {
        const object: object = {};
        for (const [key, value] of entries) Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
        return object;
      }),
    ),
  }));

  test("random JSON never throws, and an error means no manifest", () => {
    fc.assert(
      fc.property(tree, tree, (json, lines) => {
        const { manifest, findings } = parseManifest(json, lines);
        expect(findings.length).toBeLessThanOrEqual(limit("manifestFindingsMax") + 1);
        expect(manifest === null).toBe(findings.some(({ severity }) => severity === "error"));
        for (const { line, message } of findings) {
          expect(line).toBeGreaterThan(0);
          expect(message.length).toBeLessThanOrEqual(limit("manifestMessageCharsMax") + 1);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("large lists, objects and texts are cut short", () => {
    const many = Array.from({ length: 100_000 }, () => ({ name: "a", colour: 1 }));
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i]));
    const long = "x".repeat(5_000_000);
    const startMs = performance.now();
    const { findings } = parseManifest(
      {
        ...wide,
        version: "2",
        name: long,
        functions: many,
        automations: many,
        inputs: { user: many },
        plinth: wide,
        tags: wide,
        operations: [wide, wide],
      },
      wide,
    );
    expect(findings).toHaveLength(limit("manifestFindingsMax") + 1);
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  test("what stands after the most entries of a list is not looked at", () => {
    const functions = [...Array.from({ length: limit("manifestFunctionsMax") }, (_, i) => ({ name: `f${i}` })), { name: "bad name" }];
    expect(problems({ ...GOOD, functions })).toEqual([expect.stringContaining("functions has 201 entries")]);
  });

  test("deep and cyclic values are not followed", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const field = (default_value: unknown) => ({ inputs: { user: [{ name: "a", field_type: "json_value", default_value }] } });
    for (const value of [deep, cycle, { __proto__: null, constructor: 1 }, () => 1, 10n]) {
      expect(problems({ ...GOOD, ...field(value) })).toEqual([expect.stringContaining("inputs.user[0].default_value cannot be used")]);
    }
  });

  test("keys of the prototype are no values", () => {
    expect(problems(Object.create({ version: "2", name: "inherited" }))).toContain('version is missing; write `version: "2"`.');
    const headers = JSON.parse('{"__proto__": "x", "Accept": "y"}') as object;
    const call = { kind: "secret", id: "t", organization_data: { url: "https://x.example", response_jq: ".", headers } };
    expect(problems({ ...GOOD, keyring_types: [call] })).toEqual([expect.stringContaining("has the key `__proto__`")]);
  });

  test("the result shares nothing with the JSON", () => {
    const ui = { display_name: "A" };
    const manifest = parsed({ inputs: { user: [{ name: "a", field_type: "text", ui }] } });
    ui.display_name = "B";
    expect(manifest.inputs.user[0]?.ui).toEqual({ display_name: "A" });
  });

  test("lines that a jail made up do no harm", () => {
    for (const lines of [null, 7, "x", [], { name: "9" }, { name: -1 }, { name: Infinity }, JSON.parse('{"__proto__": {"name": 4}}')]) {
      expect(parseManifest({ version: "2" }, lines).findings).toMatchObject([{ path: "name", line: 1 }]);
    }
    expect(parseManifest({ version: "2", functions: [{}] }, { functions: 5 }).findings[1]).toMatchObject({
      path: "functions[0].name",
      line: 5,
    });
  });

  test("the place of an entry counts what is wrong before it", () => {
    const { findings } = parseManifest({ ...GOOD, functions: [1, { name: "f" }], hooks: [null, { type: "update", function: "g" }] }, {});
    expect(findings.map(({ path }) => path)).toEqual(["functions[0]", "hooks[0]", "hooks[1].function"]);
  });
});

describe("checkFunctions", () => {
  const manifest = parsed({
    functions: [{ name: "one" }, { name: "two" }, { name: "three" }],
    hooks: [{ type: "update", function: "one" }],
    operations: [{ name: "o", slug: "o", function: "two" }],
  });

  test("functions that fit have no finding", () => {
    const all = parsed({ functions: [{ name: "one" }], hooks: [{ type: "update", function: "one" }] });
    expect(checkFunctions(all, ["one"])).toEqual([]);
  });

  test("declared functions that the code lacks are errors", () => {
    expect(checkFunctions(manifest, ["one", "twoo"], { "functions[1].name": 7 })).toMatchObject([
      { severity: "error", path: "functions[2].name", line: 1 },
      { severity: "warning", message: expect.stringContaining("exports `twoo`, which the manifest does not declare") as unknown },
      { severity: "error", path: "functions[1].name", line: 7, message: expect.stringContaining("Did you mean `twoo`?") as unknown },
    ]);
  });

  test("functions that nothing calls are warnings", () => {
    expect(checkFunctions(manifest, ["one", "two", "three"])).toMatchObject([
      { severity: "warning", message: expect.stringContaining("nothing in the manifest calls the function `three`") as unknown },
    ]);
  });

  test("hostile names are bounded", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `${"x".repeat(1000)}${i}`);
    expect(checkFunctions(manifest, names).length).toBeLessThanOrEqual(limit("manifestFindingsMax") + 1);
  });
});
