/** The examples of the guide do what it says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NO_PYTHON, python, runInline } from "./test-python.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/guide/inline-code.md"), "utf8");
const examples = [...guide.matchAll(/```python\n([^`]+)```\n\n```json\n([^`]+)```/g)].map(
  ([, code = "", result = ""]) => [code, result] as const,
);

describe.skipIf(python === undefined)(`the guide to inline code${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test("has examples", () => expect(examples.length).toBeGreaterThan(1));

  test.each(examples)("%s", async (code, result) => {
    const outcome = await runInline(code, { inputs: { amounts: [3, 4], text: "a-b-c" } });
    expect(outcome).toMatchObject({ kind: "result", value: { result: JSON.parse(result) as unknown, truncated: false } });
  });

  test("names the modules that may be imported", () => {
    const names = readFileSync(join(import.meta.dirname, "plinth_runner/inline/names.py"), "utf8");
    const allowed = /ALLOWED_MODULES = frozenset\(\s*"""([^"]*)"""/.exec(names)?.[1]?.trim().split(/\s+/) ?? [];
    for (const name of allowed.filter((each) => each !== "__future__")) expect(guide).toMatch(new RegExp(`[\`\\s]${name}[\`\\s]`));
  });
});
