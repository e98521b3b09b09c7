import { execFile } from "node:child_process";
import { chmod, chown, copyFile, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { librariesOf, parseLdd, prepareRuntimeImage, prepareSharedFolder } from "./image.ts";
import { textProgram } from "../fixtures/test-sandbox.ts";

const ONE_CALL = join(import.meta.dirname, "..", "fixtures", "one-call.ts");
const STRANGER = 54_321;
const isRoot = process.getuid?.() === 0;
let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "plinth-image-test-"));
  await chmod(base, 0o755);
});

afterEach(() => rm(base, { recursive: true, force: true }));

function prepare(key = "key"): Promise<string> {
  return prepareSharedFolder({ base, name: "thing", key, fill: (folder) => writeFile(join(folder, "file"), key) });
}

describe("a shared folder", () => {
  test("is readable by all, writable by its owner, and used again", async () => {
    let fills = 0;
    const fill = async (folder: string): Promise<void> => {
      fills++;
      await writeFile(join(folder, "file"), "x");
    };
    const first = await prepareSharedFolder({ base, name: "thing", key: "a", fill });
    expect(await prepareSharedFolder({ base, name: "thing", key: "a", fill })).toBe(first);
    expect(await prepareSharedFolder({ base, name: "thing", key: "b", fill })).not.toBe(first);
    expect(fills).toBe(2);
    expect((await lstat(first)).mode & 0o777).toBe(0o755);
    expect((await lstat(join(first, "content"))).mode & 0o777).toBe(0o755);
  });

  test("is made once when several make it at once, and leaves nothing else", async () => {
    const folders = await Promise.all(Array.from({ length: 8 }, () => prepare()));
    expect(new Set(folders).size).toBe(1);
    expect(await readdir(base)).toHaveLength(1);
  });

  test("a failed build leaves nothing", async () => {
    await expect(prepareSharedFolder({ base, name: "thing", key: "a", fill: () => Promise.reject(new Error("no")) })).rejects.toThrow("no");
    expect(await readdir(base)).toEqual([]);
  });

  test.each<readonly [string, (folder: string, elsewhere: string) => Promise<unknown>]>([
    ["a link", async (folder, elsewhere) => (await rm(folder, { recursive: true }), symlink(elsewhere, folder))],
    ["a folder that others can write", (folder) => chmod(folder, 0o777)],
    ["a content folder that others can write", (folder) => chmod(join(folder, "content"), 0o775)],
    ["a wrong stamp", (folder) => writeFile(join(folder, "stamp"), "other")],
    ["no stamp", (folder) => rm(join(folder, "stamp"))],
    ["a file", async (folder) => (await rm(folder, { recursive: true }), writeFile(folder, "x"))],
    ...(isRoot ? [["a folder of another user", (folder: string) => chown(folder, STRANGER, STRANGER)] as const] : []),
  ])("%s in its place is not used", async (_, plant) => {
    const good = await prepare();
    await plant(good, join(base, "elsewhere"));
    const other = await prepare();
    expect(other).not.toBe(good);
    expect(await readFile(join(other, "content", "file"), "utf8")).toBe("key");
  });
});

describe("the libraries of node", () => {
  test("are read from ldd", () => {
    const output =
      "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f9)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8)\n\tlibmissing.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f9)\n";
    expect(parseLdd(output)).toEqual([
      "/lib/x86_64-linux-gnu/libdl.so.2",
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib64/ld-linux-x86-64.so.2",
    ]);
  });

  test("of this node are files", async () => {
    for (const { source } of await librariesOf(process.execPath)) expect((await lstat(source)).isFile()).toBe(true);
  });
});

test("an image changes with its program", async () => {
  const [a, again, b] = await Promise.all(
    ["1", "1", "2"].map((text) => prepareRuntimeImage({ program: textProgram(text), nowMs: Date.now(), baseFolder: base })),
  );
  expect(a?.appFolder).toBe(again?.appFolder);
  expect(a?.appFolder).not.toBe(b?.appFolder);
});

test("images that nobody used for a month are removed, others stay", async () => {
  const image = (text: string, nowMs: number) => prepareRuntimeImage({ program: textProgram(text), nowMs, baseFolder: base });
  const dayMs = 86_400_000;
  const [old, used] = [await image("old", Date.now()), await image("used", Date.now())];
  used.used(Date.now() + 20 * dayMs);
  await expect.poll(async () => (await lstat(join(used.appFolder, "..", "stamp"))).mtimeMs).toBeGreaterThan(Date.now() + 19 * dayMs);
  await image("new", Date.now() + 31 * dayMs);
  await expect(lstat(old.appFolder)).rejects.toMatchObject({ code: "ENOENT" });
  expect((await lstat(used.appFolder)).isDirectory()).toBe(true);
});

describe("where the host lies and who runs it", () => {
  test.runIf(isRoot)(
    "a host of root in a folder that only root can enter",
    async () => {
      const hidden = join(base, "hidden");
      await mkdir(hidden, { mode: 0o700 });
      const node = join(hidden, "node");
      await link(process.execPath, node).catch(() => copyFile(process.execPath, node));
      const images = join(base, "images");
      const first = await run(node, images, {});
      expect(first).toMatchObject({ outcome: { kind: "ok" } });
      expect((await readdir(images)).filter((name) => name.startsWith("plinth-node-"))).toHaveLength(1);
      expect(await run(node, images, {})).toMatchObject({ outcome: { kind: "ok" } });
      expect((await readdir(images)).filter((name) => name.startsWith("plinth-node-"))).toHaveLength(1);
    },
    20_000,
  );

  test.runIf(isRoot)(
    "a host of an ordinary user reaches tier 2",
    async () => {
      const images = join(base, "images");
      await mkdir(images);
      await chown(images, STRANGER, STRANGER);
      const result = await run(process.execPath, images, { uid: STRANGER, gid: STRANGER });
      expect(result).toMatchObject({ tier: 2, outcome: { kind: "ok" } });
    },
    20_000,
  );
});

async function run(node: string, images: string, user: { readonly uid?: number; readonly gid?: number }): Promise<unknown> {
  const { stdout } = await promisify(execFile)(node, [ONE_CALL, images], { ...user, cwd: "/", env: {} });
  return JSON.parse(stdout);
}
