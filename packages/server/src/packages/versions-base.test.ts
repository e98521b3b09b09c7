import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareVersionsBase } from "./versions-base.ts";

let folder: string;
const isRoot = process.getuid?.() === 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-base-"));
  await chmod(folder, 0o711);
  for (const name of ["one", "two"]) await mkdir(join(folder, name));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const prepare = (name: string, parent = join(folder, "versions")) => prepareVersionsBase({ dataDir: join(folder, name), folder: parent });

it("gives each data folder a place of its own, the same after a restart, that others pass but do not see into", async () => {
  const [one, two, again] = [await prepare("one"), await prepare("two"), await prepare("one")];
  expect(one.base).toBe(again.base);
  expect(two.base).not.toBe(one.base);
  expect(((await stat(one.base)).mode & 0o777).toString(8)).toBe("711");
  expect([...one.orphans, ...two.orphans, ...again.orphans]).toEqual([]);
});

it("finds the places of data folders that are gone, and no others", async () => {
  const one = await prepare("one");
  await rm(join(folder, "one"), { recursive: true });
  expect((await prepare("two")).orphans).toEqual([one.base, `${one.base}.data-dir`]);
  await mkdir(join(folder, "versions", "of-somebody"));
  expect(await readdir(join(folder, "versions"))).toContain("of-somebody");
  expect((await prepare("two")).orphans).not.toContain(join(folder, "versions", "of-somebody"));
});

it("takes another name where somebody else can write", async () => {
  const { base } = await prepare("one");
  await chmod(base, 0o777);
  const other = await prepare("one");
  expect(other.base).not.toBe(base);
  expect(existsSync(other.base)).toBe(true);
});

it.skipIf(!isRoot)("refuses a place that jails cannot reach or others can change", async () => {
  const parent = join(folder, "versions");
  for (const mode of [0o700, 0o777]) {
    await mkdir(parent, { recursive: true });
    await chmod(parent, mode);
    await expect(prepare("one")).rejects.toMatchObject({ code: "BadConfiguration" });
  }
});
