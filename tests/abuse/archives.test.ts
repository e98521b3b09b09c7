/** Archives that are meant to leave their folder, to redirect others, to fill the machine or to pass for something else. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pax, rawTar, type RawEntry } from "../../packages/core/src/archive/test-tar.ts";
import { limit } from "@plinth/core/limits.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../../packages/cli/src/client.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;
let versions: string;

beforeAll(async () => {
  const base = join(process.env["TMPDIR"] ?? "/tmp", `plinth-abuse-${process.pid}`);
  versions = base;
  host = await startLocalHost(["--versions-folder", base]);
});
afterAll(async () => {
  await host.stop();
  rmSync(versions, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

async function upload(body: Uint8Array, type = "application/octet-stream", path = "/v1/packages/evil/versions"): Promise<Answer> {
  const response = await fetch(host.connection.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${host.connection.key ?? ""}`, ...(type === "" ? {} : { "content-type": type }) },
    body,
  });
  const json = (await response.json()) as { code?: string; message?: string };
  return { status: response.status, code: json.code ?? "", message: json.message ?? "" };
}

/** Nothing was made of it: no package, no file, and the host is the same process. */
async function expectNothing(): Promise<void> {
  expect(await call(host.connection, "/v1/packages")).toEqual({ packages: [] });
  const deadlineMs = performance.now() + 10_000;
  while (filesBelow(versions).length > 0 && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(filesBelow(versions)).toEqual([]);
  expect(existsSync("/tmp/plinth-was-here")).toBe(false);
  process.kill(host.process.ready.pid, 0);
}

function filesBelow(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() && !entry.name.endsWith(".data-dir") ? [entry.name] : [],
      )
    : [];
}

async function expectRefused(entries: readonly RawEntry[], detail: string): Promise<void> {
  const archive = rawTar([{ name: "manifest.yaml", body: "version: 2\n" }, ...entries]);
  const answer = await upload(gzipSync(archive));
  expect(answer).toMatchObject({ status: 400, code: "InvalidPackage" });
  expect(answer.message).toContain(detail);
  await expectNothing();
}

describe("M01 names that leave the folder", () => {
  it.each([
    ["../../../../tmp/plinth-was-here", "leaves its folder"],
    ["/tmp/plinth-was-here", "absolute"],
    ["..\\..\\x", "backslash"],
    ["C:\\x", "backslash"],
    ["c:x", "drive"],
    ["\\\\host\\share\\x", "backslash"],
    ["//host/share/x", "absolute"],
    ["a\0b", "zero byte"],
    [".", "dot"],
    ["...", "dot"],
    ["code./x", "dot"],
    ["code /x", "space"],
  ])("%j", (name, detail) => expectRefused([{ name, body: "x" }], detail));

  it("in extended headers", () =>
    expectRefused([pax({ path: "../../../../tmp/plinth-was-here" }), { name: "ok", body: "x" }], "leaves its folder"));
  it("in long names of GNU", () =>
    expectRefused(
      [
        { name: "././@LongLink", type: "L", body: "../../../../tmp/plinth-was-here\0" },
        { name: "ok", body: "x" },
      ],
      "leaves its folder",
    ));
});

describe("M02 links, devices, pipes", () => {
  it.each([
    ["a symbolic link", "2"],
    ["a hard link", "1"],
    ["a device", "3"],
    ["a device", "4"],
    ["a pipe", "6"],
  ])("%s (%s)", (what, type) => {
    const target = (block: Uint8Array): void => block.set(new TextEncoder().encode("/tmp"), 157);
    return expectRefused(
      [
        { name: "link", type, change: target },
        { name: "link/plinth-was-here", body: "x" },
      ],
      what,
    );
  });
});

describe("M03 names that collide", () => {
  it.each([
    [["a", "a"], "twice"],
    [["a", "A"], "same name"],
    [["caf\u00e9", "cafe\u0301"], "same name"],
    [["a", "a/b"], "both a file and a folder"],
  ])("%j", (names, detail) =>
    expectRefused(
      names.map((name) => ({ name })),
      detail,
    ),
  );
});

describe("M04 bombs", () => {
  it.each([
    ["gzip", (bytes: Buffer) => gzipSync(bytes, { level: 1 })],
    ["zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
  ])("%s of zeros", async (_name, compress) => {
    expect(await upload(compress(Buffer.alloc(limit("archiveUnpackedBytesMax") + 1024)))).toMatchObject({
      status: 400,
      code: "InvalidPackage",
    });
    await expectNothing();
  });

  it("one file beyond the limit, and a size that lies", async () => {
    await expectRefused([{ name: "big", size: limit("archiveFileBytesMax") + 1 }], "may have");
    await expectRefused([{ name: "lie", size: 1_000_000, body: "short" }], "cut off");
  });
});

describe("M05 counts and depths", () => {
  it("too many files", async () => {
    const folder = rawTar([{ name: "d/", type: "5" }], new Uint8Array());
    const many = Buffer.alloc((4 * limit("archiveEntriesMax") + 2) * folder.length);
    for (let at = 0; at < many.length; at += folder.length) many.set(folder, at);
    expect(await upload(gzipSync(many, { level: 1 }))).toMatchObject({ status: 400, message: expect.stringContaining("more than") });
    await expectNothing();
  });
  it("deep and long names", async () => {
    await expectRefused([pax({ path: `${"d/".repeat(2000)}x` }), { name: "ok" }], "longer than");
    await expectRefused([pax({ path: `${"d/".repeat(70)}x` }), { name: "ok" }], "deeper than");
  });
});

describe("M17 content that poses as another", () => {
  const archive = gzipSync(rawTar([{ name: "manifest.yaml", body: "version: 2\n" }]));
  it.each(["application/json", "application/json; charset=utf-8", "multipart/form-data; boundary=x", "text/plain", ""])(
    "type %j",
    async (type) => {
      expect(await upload(archive, type)).toMatchObject({ status: 400, code: "BadRequest" });
    },
  );
  it("JSON that names a file", async () => {
    const json = Buffer.from(JSON.stringify({ archive: { path: join(host.dataDir, "plinth.db"), mimetype: "application/gzip" } }));
    expect(await upload(json, "application/json")).toMatchObject({ status: 400, code: "BadRequest" });
    expect(await upload(json, "application/gzip")).toMatchObject({ status: 400, code: "InvalidPackage" });
    await expectNothing();
  });
  it("names of packages that are paths", async () => {
    for (const name of ["..%2f..%2fx", "%2e%2e", "A", "a%00"]) {
      const { status } = await upload(archive, "application/gzip", `/v1/packages/${name}/versions`);
      expect([400, 404, 405], name).toContain(status);
    }
  });
});

it("an upload that is cut off, and a host that is killed in the middle of one, leave nothing", async () => {
  const { hostname, port } = new URL(host.connection.url);
  const begin = async (): Promise<() => void> => {
    const sending = request({
      hostname,
      port,
      method: "POST",
      path: "/v1/packages/evil/versions",
      headers: { authorization: `Bearer ${host.connection.key ?? ""}`, "content-type": "application/gzip", "transfer-encoding": "chunked" },
    });
    sending.on("error", () => undefined);
    sending.write(Buffer.alloc(300_000, 1));
    const incoming = join(host.dataDir, "blobs", ".incoming");
    while (readdirSync(incoming).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return () => void sending.destroy();
  };
  const incoming = (): string[] => readdirSync(join(host.dataDir, "blobs", ".incoming"));

  const cut = await begin();
  cut();
  while (incoming().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await expectNothing();

  await begin();
  host = await host.crash();
  expect(incoming()).toEqual([]);
  await expectNothing();
  expect(readFileSync(join(host.dataDir, "host.pid"), "utf8").trim()).toBe(String(host.process.ready.pid));
});
