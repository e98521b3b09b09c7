import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TarReader } from "@plinth/core/archive/tar-reader.ts";
import { buildPackage } from "./build-package.ts";
import { missingPackages } from "./install-failure.ts";
import { scaffold } from "./scaffold.ts";

let folder: string;
const quiet = { overrides: {}, update: () => {} };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-package-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Paths of an archive, by the reader that the host uses. */
function pathsOf(archive: string): string[] {
  const paths: string[] = [];
  const reader = new TarReader();
  for (const event of reader.push(zstdDecompressSync(readFileSync(archive)))) if (event.type === "file") paths.push(event.path);
  return paths;
}

test("a new Node package builds, and the same files give the same version", async () => {
  scaffold(join(folder, "hello"), "hello", "node");
  const first = await buildPackage(join(folder, "hello"), quiet);
  expect(pathsOf(first.archive)).toEqual([
    "code/dist/index.js",
    "code/dist/index.js.map",
    "code/package.json",
    "code/tsconfig.json",
    "manifest.yaml",
  ]);
  const second = await buildPackage(join(folder, "hello"), quiet);
  expect(second.digest).toBe(first.digest);
  const built = execFileSync(process.execPath, [
    "-p",
    `Object.keys(require(${JSON.stringify(join(folder, "hello/.plinth/build/node/dist/index.js"))}).functionFactory)`,
  ]);
  expect(String(built)).toBe("[ 'greet', 'on_activate' ]\n");
});

test("a new Python package builds", async () => {
  scaffold(join(folder, "hello"), "hello", "python");
  const { archive } = await buildPackage(join(folder, "hello"), quiet);
  expect(pathsOf(archive)).toEqual([
    "code/function_factory.py",
    "code/functions/__init__.py",
    "code/functions/greet.py",
    "code/functions/on_activate.py",
    "code/requirements.txt",
    "manifest.yaml",
  ]);
});

test("credentials and sources stay behind", async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  for (const name of [".npmrc", ".env", ".env.local"]) writeFileSync(join(root, "code", name), "secret=1");
  await mkdir(join(root, "code", "test"));
  writeFileSync(join(root, "code", "test", "a.js"), "");
  expect(pathsOf((await buildPackage(root, quiet)).archive).filter((path) => /npmrc|env|src|test\//.test(path))).toEqual([]);
});

test("a manifest with errors, a missing module and a build that fails are refused with the reason", async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  writeFileSync(join(root, "code/src/index.ts"), 'export { nothing } from "./missing";');
  await expect(buildPackage(root, quiet)).rejects.toThrow(/Could not resolve "\.\/missing"/);
  writeFileSync(join(root, "code/package.json"), '{"scripts":{"build":"echo half way; exit 3"}}');
  await expect(buildPackage(root, quiet)).rejects.toThrow(/half way/);
  writeFileSync(join(root, "manifest.yaml"), 'version: "2"\nname: x\nfunctions: 7\n');
  await expect(buildPackage(root, quiet)).rejects.toThrow(/manifest has errors/);
});

test("an install that fails names what is missing, after a second try without the cache", { timeout: 60_000 }, async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  writeFileSync(join(root, "code/package.json"), JSON.stringify({ dependencies: { "left-pad": "999.0.0" } }));
  const said: string[] = [];
  await expect(buildPackage(root, { overrides: {}, update: (text) => said.push(text) })).rejects.toThrow(
    /could not be had: left-pad@999\.0\.0/,
  );
  expect(said).toContain("installing again without npm's cache");
});

test("sources stay behind where something is built from them, and are packed where they are what runs", async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  writeFileSync(join(root, "code/src/plain.js"), "exports.functionFactory = require('./more');\n");
  const sourcesOf = async (json: object): Promise<readonly string[]> => {
    writeFileSync(join(root, "code/package.json"), JSON.stringify(json));
    return pathsOf((await buildPackage(root, quiet)).archive).filter((path) => path.startsWith("code/src"));
  };
  expect(await sourcesOf({ main: "dist/index.js" })).toEqual([]);
  expect(await sourcesOf({ main: "dist/index.js", scripts: { build: "mkdir -p dist && touch dist/index.js" } })).toEqual([]);
  expect(await sourcesOf({ main: "./src/plain.js" })).toContain("code/src/plain.js");
  expect(await sourcesOf({ main: "./src/plain.js", scripts: { build: "true" } })).toContain("code/src/plain.js");
  writeFileSync(join(root, "code/index.js"), "module.exports = require('./src/plain');\n");
  expect(await sourcesOf({ main: "index.js" })).toContain("code/src/plain.js");
});

test("an override of a file: tarball is meant from where the command runs", { timeout: 60_000 }, async () => {
  const root = join(folder, "hello");
  scaffold(root, "hello", "node");
  const dependency = join(folder, "greeting");
  await mkdir(dependency);
  writeFileSync(join(dependency, "package.json"), '{"name":"@nowhere/greeting","version":"2.0.0","main":"index.js"}');
  writeFileSync(join(dependency, "index.js"), "exports.text = 'hello';\n");
  execFileSync("npm", ["pack", "--loglevel=silent", "--pack-destination", folder], { cwd: dependency });
  writeFileSync(join(root, "code/package.json"), JSON.stringify({ dependencies: { "@nowhere/greeting": "1.0.0" } }));
  const tarball = relative(process.cwd(), join(folder, "nowhere-greeting-2.0.0.tgz"));
  const { archive } = await buildPackage(root, { ...quiet, overrides: { "@nowhere/greeting": `file:${tarball}` } });
  expect(pathsOf(archive)).toContain("code/node_modules/@nowhere/greeting/index.js");
});

test("names of missing packages are found in what npm and pip say", () => {
  expect(missingPackages("npm error 404  '@a/b@1.2.3' is not in this registry.\nnpm error 404")).toEqual(["@a/b@1.2.3"]);
  expect(missingPackages("npm error notarget No matching version found for left-pad@9.9.9.\n")).toEqual(["left-pad@9.9.9"]);
  expect(missingPackages("ERROR: No matching distribution found for nosuch==1.0\n")).toEqual(["nosuch==1.0"]);
  expect(missingPackages("npm error network timeout")).toEqual([]);
});
