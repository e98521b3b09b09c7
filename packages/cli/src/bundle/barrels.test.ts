import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBundler } from "./bundle.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-barrels-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PACKAGE = {
  "index.js": `
note("index");
export { one, two as zwei } from "./numbers.js";
export * from "./letters.js";
export * from "./more.js";
import * as everything from "./letters.js";
export { everything };
export const own = "own";`,
  "numbers.js": `note("numbers"); export const one = 1; export { two } from "./two.js";`,
  "two.js": `note("two"); export const two = 2;`,
  "letters.js": `note("letters"); export const a = "a"; export default "letters";`,
  "more.js": `note("more"); export function b() { return "b"; }`,
};

/** Bundles the module that `source` is, beside a package. */
async function bundle(source: string, packageJson: object = { sideEffects: false }) {
  const files: Record<string, string> = { "convex/m.ts": source };
  for (const [name, text] of Object.entries(PACKAGE)) files[`node_modules/some/dist/${name}`] = text;
  files["node_modules/some/package.json"] = JSON.stringify({ name: "some", type: "module", exports: "./dist/index.js", ...packageJson });
  files["node_modules/some/dist/package.json"] = '{"type":"module"}';
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const bundler = createBundler(join(folder, "convex"));
  try {
    return await bundler.bundle();
  } finally {
    await bundler.dispose();
  }
}

/** What the module exports, and which modules of the package were evaluated for it. */
async function run(source: string, packageJson?: object) {
  const { script } = await bundle(source, packageJson);
  const evaluated: string[] = [];
  const value: unknown = runInNewContext(`${script}; __plinthModules.m().default`, { note: (name: string) => evaluated.push(name) });
  return { value: structuredClone(value), evaluated };
}

test("a name is imported from the module that defines it", async () => {
  expect(await run('import { one } from "some"; export default one;')).toEqual({ value: 1, evaluated: ["two", "numbers"] });
  expect(await run('import { a } from "some"; export default a;')).toEqual({ value: "a", evaluated: ["letters"] });
});

test("names are followed through renames, further indexes and whole modules", async () => {
  const source = `import {
    zwei as drei,
    b,
    type Unknown,
    Other,
  } from "some";
  const typed: Unknown | Other | number = drei; export default [typed, b()];`;
  expect(await run(source)).toEqual({ value: [2, "b"], evaluated: ["two", "more"] });
});

test("what the index itself holds is imported from there", async () => {
  const { value, evaluated } = await run('import { own, one, everything } from "some"; export default [own, one, everything.a];');
  expect(value).toEqual(["own", 1, "a"]);
  expect(evaluated).toContain("index");
});

test("other forms of import are left as they are", async () => {
  expect((await run('import * as some from "some"; export default [some.one, some.a];')).value).toEqual([1, "a"]);
  expect((await run('import "some"; export default 1;')).value).toBe(1);
  expect((await run("export default 'import { one } from \"some\"; export { two };';")).value).toBe(
    'import { one } from "some"; export { two };',
  );
});

test("a package that does not exclude side effects is evaluated as a whole", async () => {
  expect((await run('import { one } from "some"; export default one;', {})).evaluated).toEqual([
    "two",
    "numbers",
    "letters",
    "more",
    "index",
  ]);
});

test("lines keep their numbers", async () => {
  const { script, sourceMap } = await bundle('import {\n  one,\n  a,\n} from "some";\nexport default [one, a, "here"];');
  const lines = script.slice(0, script.indexOf('"here"')).split("\n");
  const payload: SourceMapPayload = JSON.parse(sourceMap);
  const place = new SourceMap(payload).findEntry(lines.length - 1, (lines.at(-1) ?? "").length);
  expect(place).toMatchObject({ originalSource: "../convex/m.ts", originalLine: 4 });
});
