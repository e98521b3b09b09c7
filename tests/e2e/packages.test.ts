/** Packages through the API of a real host: uploads that are analysed in real jails, heads, backups, crashes. */
import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { writeTar } from "@plinth/core/archive/tar-writer.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, send, type Json } from "../../packages/cli/src/client.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;
beforeAll(async () => {
  host = await startLocalHost();
});
afterAll(async () => {
  await host.stop();
});

type Files = Readonly<Record<string, string | Uint8Array>>;

function archiveOf(files: Files): Uint8Array {
  return gzipSync(Buffer.concat([...writeTar(Object.entries(files).map(([path, body]) => ({ path, bytes: Buffer.from(body) })))]), {
    level: 1,
  });
}

function snapIn(name: string, code = `exports.functionFactory = { ${name}: async (events) => events.length };`): Files {
  return {
    "manifest.yaml": `version: "2"\nname: test\ndescription: test\nfunctions:\n  - name: ${name}\n    description: ${name}\n`,
    "code/package.json": '{"name":"test","main":"./dist/index.js"}',
    "code/dist/index.js": code,
  };
}

async function upload(files: Files, options: { readonly query?: string; readonly accept?: string } = {}) {
  const response = await fetch(`${host.connection.url}/v1/packages/pkg/versions${options.query ?? ""}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${host.connection.key ?? ""}`,
      "content-type": "application/gzip",
      accept: options.accept ?? "application/json",
    },
    body: archiveOf(files),
  });
  return { status: response.status, text: await response.text() };
}

async function uploaded(
  files: Files,
  query = "",
): Promise<{ version: string; changed: boolean; timings: Record<string, number>; files: number }> {
  const { status, text } = await upload(files, { query });
  expect(status, text).toBe(200);
  return JSON.parse(text) as { version: string; changed: boolean; timings: Record<string, number>; files: number };
}

const head = async () =>
  (await call(host.connection, "/v1/packages/pkg")) as {
    version: string;
    ledger: { version: string; note: string | null; cause: string }[];
  };
const resolved = async (name: string) =>
  (await send(host.connection, `/v1/functions/${encodeURIComponent(`@pkg/${name}`)}/resolve`, { method: "POST" })).status;

describe("packages", () => {
  let first: string;

  it("are uploaded, analysed in a jail, and serve", async () => {
    const result = await uploaded(snapIn("one"), "?note=hello");
    first = result.version;
    expect(result).toMatchObject({ changed: true, files: 3, functions: ["one"], runtime: "node" });
    expect(await head()).toMatchObject({ version: first, ledger: [{ version: first, note: "hello", cause: "upload" }] });
    expect(await resolved("one")).toBe(200);
    expect(await resolved("two")).toBe(404);
    expect(await call(host.connection, `/v1/packages/pkg/versions/${first.slice(0, 8)}`)).toMatchObject({
      version: first,
      manifest: { name: "test" },
    });
  });

  it("tell of their progress as events", async () => {
    const { text } = await upload(snapIn("two"), { accept: "text/event-stream" });
    expect(text).toContain("event: progress");
    expect(text).toContain("Analysing the code in a jail");
    expect(text).toMatch(/event: done\ndata: \{"package":"pkg"/);
    expect(await resolved("two")).toBe(200);
    const bad = await upload(snapIn("x", "throw new Error('no')"), { accept: "text/event-stream" });
    expect(bad.text).toContain('event: error\ndata: {"code":"InvalidPackage"');
  });

  it("stay as they are when top-level code hangs, a handler is missing or the manifest is wrong", async () => {
    const { version } = await head();
    const hanging = await upload(snapIn("x", "for (;;);"));
    expect(hanging).toMatchObject({ status: 400, text: expect.stringContaining("InvalidPackage") });
    const missing = await upload(snapIn("x", "exports.functionFactory = {};"));
    expect(missing).toMatchObject({ status: 400, text: expect.stringContaining("InvalidPackage") });
    const wrong = await upload({ ...snapIn("x"), "manifest.yaml": 'version: "2"\nname: &a x\nother: *a\n' });
    expect(wrong).toMatchObject({ status: 400, text: expect.stringContaining("manifest.yaml:2") });
    expect((await head()).version).toBe(version);
    expect(await resolved("two")).toBe(200);
  });

  it("go back and differ", async () => {
    const before = (await head()).version;
    const diff = (await call(host.connection, `/v1/packages/pkg/diff?from=${first}&to=${before}`)) as {
      functionsAdded: string[];
      manifest: string;
    };
    expect(diff.functionsAdded).toEqual(["two"]);
    expect(diff.manifest).toContain("+  - name: two");
    expect(await call(host.connection, "/v1/packages/pkg/rollback", { body: {} as Json })).toMatchObject({
      version: first,
      cause: "rollback",
    });
    expect(await resolved("one")).toBe(200);
    expect(await resolved("two")).toBe(404);
    expect(await call(host.connection, "/v1/packages/pkg/promote", { body: { version: before } })).toMatchObject({
      version: before,
      cause: "promote",
    });
    const other = await send(host.connection, "/v1/packages/pkg/promote", { body: { version: before, fromBranch: "dev" } });
    expect(other.status).toBe(403);
  });

  it("are there after a crash, and in a data folder that was restored from a backup", async () => {
    host = await host.crash();
    expect(await resolved("two")).toBe(200);
    const folder = mkdtempSync(join(tmpdir(), "plinth-restored-"));
    try {
      const backup = join(folder, "b.backup");
      await call(host.connection, "/v1/backup", { body: { path: backup } });
      const { version } = await head();
      const main = join(import.meta.dirname, "../../packages/server/src/main.ts");
      await promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", main, "restore", backup, join(folder, "data")]);
      const restored = await startLocalHost([], join(folder, "data"));
      try {
        expect(await call(restored.connection, "/v1/packages/pkg")).toMatchObject({ version });
        // It unpacks the archive, which came out of the backup, and analyses it again.
        const again = await fetch(`${restored.connection.url}/v1/packages/pkg/versions?dryRun=true`, {
          method: "POST",
          headers: { authorization: `Bearer ${restored.connection.key ?? ""}`, "content-type": "application/gzip" },
          body: archiveOf(snapIn("two")),
        });
        expect(await again.json()).toMatchObject({ version, changed: false });
      } finally {
        await restored.stop();
      }
      expect(readdirSync(`${backup}.blobs`).length).toBeGreaterThan(0);
      rmSync(`${backup}.blobs`, { recursive: true });
      const alone = promisify(execFile)(process.execPath, [
        "--disable-warning=ExperimentalWarning",
        main,
        "restore",
        backup,
        join(folder, "other"),
      ]);
      await expect(alone).rejects.toThrow("is missing");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("are large", async () => {
    const modules = Object.fromEntries(
      Array.from({ length: 8000 }, (_, i) => [`code/node_modules/p${i % 200}/f${i}.js`, randomBytes(6000)]),
    );
    const started = performance.now();
    const result = await uploaded({ ...snapIn("three"), ...modules });
    console.info(`${result.files} files in ${Math.round(performance.now() - started)} ms: ${JSON.stringify(result.timings)}`);
    expect(result.files).toBe(8003);
    expect(await resolved("three")).toBe(200);
  });
});
