/** What the jail answers is hostile, and is asked for once. */
import { expect, test } from "vitest";
import { ScriptChecks } from "./script-check.ts";
import { placeOfStack, shownPlace } from "./script-place.ts";

const CODE = "const a = 1;\nreturn eval(a);";

function checksWith(answer: unknown): { readonly checks: ScriptChecks; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const run = (_tenant: string, _tool: string, input: unknown): Promise<unknown> => Promise.resolve(asked.push(input) > 0 ? answer : null);
  return { checks: new ScriptChecks({ run }), asked };
}

test("a script in which nothing was found is parsed once, another one each time", async () => {
  const good = checksWith({ findings: [] });
  await good.checks.check("a", CODE);
  await good.checks.check("b", CODE);
  expect(good.asked).toHaveLength(1);
  await good.checks.check("a", `${CODE} `);
  expect(good.asked).toHaveLength(2);
  const bad = checksWith({ findings: [{ line: 2, column: 8, message: "`eval` is bad" }] });
  for (const _ of [1, 2])
    await expect(bad.checks.check("a", CODE)).rejects.toMatchObject({
      code: "InvalidCode",
      message: expect.stringContaining("line 2, column 8: `return eval(a);`: `eval` is bad") as string,
    });
  expect(bad.asked).toHaveLength(2);
});

test("an answer that is none is a failure of the tool, not a script without findings", async () => {
  const place = { line: 1, column: 1, message: "x" };
  const answers = [
    ...[null, {}, { findings: "none" }, { findings: [null] }, { findings: [{ ...place, message: 1 }] }],
    ...[0, -1, 3, 1.5, 1e9, Number.NaN].map((line) => ({ findings: [{ ...place, line }] })),
    ...[0, -1, 99, 1.5].map((column) => ({ findings: [{ ...place, column }] })),
  ];
  for (const answer of answers) await expect(checksWith(answer).checks.check("a", CODE)).rejects.toMatchObject({ code: "ToolFailed" });
});

test("a stack may say anything; only places in the code are shown", () => {
  expect(placeOfStack("    at f (script:2:8)\n    at script:1:1")).toEqual({ line: 2, column: 8 });
  expect(placeOfStack("    at <module> (<inline>:2)")).toEqual({ line: 2, column: null });
  for (const stack of [undefined, "", "script:1:1", "    at x (version.js:1:1)", `    at ${"x".repeat(400)} (script:1:1)`])
    expect(placeOfStack(stack)).toBeNull();
  expect(shownPlace(CODE, { line: 9, column: 1 })).toBeNull();
  expect(shownPlace(CODE, { line: 2, column: 99 })).toBeNull();
  const long = `${"a".repeat(500)}HERE${"b".repeat(500)}`;
  const shown = shownPlace(long, { line: 1, column: 501 });
  expect(shown).toContain("HERE");
  expect(shown?.length).toBeLessThan(220);
});
