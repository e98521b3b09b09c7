import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBundler } from "./bundle.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-exports-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function bundle(modules: Readonly<Record<string, string>>) {
  const convex = join(folder, "convex");
  mkdirSync(convex, { recursive: true });
  for (const [name, source] of Object.entries(modules)) writeFileSync(join(convex, `${name}.ts`), source);
  const bundler = createBundler(convex);
  try {
    return await bundler.bundle();
  } finally {
    await bundler.dispose();
  }
}

const evaluate = (script: string, expression: string): unknown =>
  structuredClone(runInNewContext(`${script}; const modules = __plinthModules; ${expression}`, {}));

const MODULES = {
  a: `export let n = 1; export function raise() { n += 1; return n; } const odd = "odd"; export { odd as "a-b" }; export default [n];`,
  b: `import * as a from "./a"; export const names = Object.keys(a).sort(); export const __exported = "mine";`,
  c: `export const one = 1;`,
};

test("modules export what they did, with their live values", async () => {
  const { script } = await bundle(MODULES);
  expect(
    evaluate(script, "const a = modules.a(); [Object.keys(a).sort(), a.default, a['a-b'], a.n, a.raise(), a.n, modules.a().n]"),
  ).toEqual([["a-b", "default", "n", "raise"], [1], "odd", 1, 2, 2, 2]);
  expect(evaluate(script, "[modules.b().names, modules.b().__exported, modules.c().one]")).toEqual([
    ["a-b", "default", "n", "raise"],
    "mine",
    1,
  ]);
  expect(evaluate(script, "[Object.keys(modules), Object.getPrototypeOf(modules)]")).toEqual([["a", "b", "c"], null]);
});

test("a table of exports is made at the first use of its module, except where modules use it", async () => {
  const { script } = await bundle(MODULES);
  const start = script.slice(0, script.lastIndexOf("globalThis.__plinthModules="));
  expect(start.match(/__export\(\w+_exports,/g)).toEqual(["__export(a_exports,"]);
});

test("the source map fits", async () => {
  const { script, sourceMap } = await bundle({ ...MODULES, d: 'export const one = 1;\n\nexport const two = "here";' });
  const lines = script.slice(0, script.indexOf('"here"')).split("\n");
  const payload: SourceMapPayload = JSON.parse(sourceMap);
  const place = new SourceMap(payload).findEntry(lines.length - 1, (lines.at(-1) ?? "").length);
  expect(place).toMatchObject({ originalSource: "../convex/d.ts", originalLine: 2 });
});
