import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scaffold } from "../../packages/cli/src/package/scaffold.ts";
import { checkPackage } from "./check-package.ts";
import { findPackages } from "./find-packages.ts";
import { overridesFor } from "./overrides.ts";
import { hasPassed } from "./package-report.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-conformance-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test("packages are folders with a manifest and code; others are named", () => {
  for (const path of ["2-b/manifest.yaml", "2-b/code/package.json", "10-a/manifest.yml", "10-a/code/package.json"]) write(path, "{}");
  for (const path of ["no-code/manifest.yaml", "no-manifest/code/package.json", ".hidden/manifest.yaml"]) write(path, "{}");
  write("2-b/code/node_modules/x/manifest.yaml", "{}");
  const { packages, incomplete } = findPackages(folder);
  expect(packages).toEqual([join(folder, "2-b"), join(folder, "10-a")]);
  expect(incomplete).toEqual([join(folder, "no-code"), join(folder, "no-manifest")]);
});

test("overrides are taken for the versions that a package or its lock file names", () => {
  write("package.json", '{"dependencies":{"@a/b":"^1.0.0","c":"1.0.0"},"devDependencies":{"d":"~3.1.0","e":"1.0.0"}}');
  write("package-lock.json", '{"packages":{"node_modules/@a/b":{"version":"1.7.7"}}}');
  const given = { "@a/b@1.7.7": "1.2.0", "c@2.0.0": "2.0.1", "d@3.1.0": "file:d.tgz", e: "9.0.0", f: "1.0.0" };
  expect(overridesFor(folder, given)).toEqual({ "@a/b": "1.2.0", d: "file:d.tgz", e: "9.0.0" });
});

test("a package is taken through its life, and what goes wrong is told apart", { timeout: 120_000 }, async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  write(
    "hello/code/src/functions/on_activate/index.ts",
    "export default async function run([event]: { execution_metadata: { devrev_endpoint: string } }[]) {\n" +
      "  const { status } = await fetch(`${event?.execution_metadata.devrev_endpoint}/works.get`);\n" +
      '  if (status !== 200) throw new Error("the platform is not there");\n}\n',
  );
  write("hello/code/src/functions/greet/index.ts", 'export default async function run() {\n  throw new Error("asked for more");\n}\n');
  const report = await checkPackage(root, { root: folder, overrides: {}, progress: () => {} });
  expect(report.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "manifest ok",
    "build ok",
    "host ok",
    "push ok",
    "install ok",
    "configure ok",
    "activate remote",
    "remove ok",
  ]);
  expect(report.calls.map(({ function: name, kind, result }) => [name, kind, result])).toEqual([
    ["greet", "command", "threw"],
    ["on_activate", "hook", "remote"],
  ]);
  expect(hasPassed(report)).toBe(true);

  write("hello/code/src/function-factory.ts", "export const functionFactory = Object.fromEntries([]);\n");
  const broken = await checkPackage(root, { root: folder, overrides: {}, progress: () => {} });
  expect(broken.steps.at(-1)).toMatchObject({ name: "push", status: "failed" });
  expect(hasPassed(broken)).toBe(false);
});
