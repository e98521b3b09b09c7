import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { limit } from "@plinth/core/limits.ts";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { Collector } from "./collector.ts";
import { archiveOf, SCOPE, snapIn, startPackages, streamOf, type Files } from "./test-packages.ts";

type Parts = Awaited<ReturnType<typeof startPackages>>;
let parts: Parts;

beforeEach(async () => {
  parts = await startPackages();
});
afterEach(async () => {
  await parts.stop();
  await parts.remove();
});

const DEV = { ...SCOPE, branch: "dev" };
const upload = (files: Files | Buffer, more: object = {}, scope = SCOPE) =>
  parts.packages.upload(scope, { name: "pkg", archive: streamOf(Buffer.isBuffer(files) ? files : archiveOf(files)), by: "key", ...more });
const headOf = async (scope = SCOPE) => (await parts.packages.list(scope))[0];
const blobCount = async () => {
  let count = 0;
  for await (const _ of parts.blobs.list("a")) count++;
  return count;
};

describe("uploads", () => {
  it("K1 names a version by its archive and serves its functions", async () => {
    const archive = archiveOf(snapIn(["on_work", "on_tick"]));
    const said: string[] = [];
    const result = await upload(archive, { note: "first", progress: (text: string) => said.push(text) });
    const digest = createHash("sha256").update(archive).digest("hex");
    expect(result).toMatchObject({
      package: "pkg",
      version: digest,
      runtime: "node",
      changed: true,
      functions: ["on_work", "on_tick"],
      files: 3,
      archiveBytes: archive.length,
    });
    expect(said.at(-1)).toBe("The new version serves");
    expect(parts.sandbox.warmed).toEqual([digest]);
    const fn = await parts.packages.resolve(SCOPE, "@pkg/on_tick");
    expect(fn).toMatchObject({
      path: "@pkg/on_tick",
      kind: "handler",
      visibility: "internal",
      handler: { name: "on_tick", package: "pkg", keyrings: [] },
    });
    expect(fn?.version).toMatchObject({ digest, runtime: "node", package: { reuse: true, scratchBytes: 0 } });
    expect(JSON.parse((await fn?.version.script()) ?? "")).toMatchObject({ functions: ["on_work", "on_tick"] });
    const lease = await fn?.version.package?.folder?.();
    expect(await readFile(join(lease?.path ?? "", "code/package.json"), "utf8")).toContain("test");
    lease?.release();
    for (const path of ["@pkg/none", "@other/on_tick", "@pkg", "pkg/on_tick", "@pkg/on_tick/x", "@../on_tick", `@${"p".repeat(100)}/x`])
      expect(await parts.packages.resolve(SCOPE, path), path).toBeUndefined();
    expect(await parts.packages.resolve(DEV, "@pkg/on_tick")).toBeUndefined();
    expect(await parts.packages.resolve({ ...SCOPE, tenant: "b" }, "@pkg/on_tick", digest)).toBeUndefined();
    expect(await parts.packages.ledger(SCOPE, "pkg")).toMatchObject([
      { seq: 1, version: digest, parent: null, by: "key", note: "first", cause: "upload", stored: true },
    ]);
  });

  it("says that nothing changed when the version serves already", async () => {
    const files = snapIn(["f"]);
    await upload(files);
    expect(await upload(files)).toMatchObject({ changed: false });
    expect(await parts.packages.ledger(SCOPE, "pkg")).toHaveLength(1);
  });

  it("takes a manifest one folder deep, and manifest.yml", async () => {
    const { "manifest.yaml": manifest = "", ...rest } = snapIn(["f"]);
    const files = Object.fromEntries(
      Object.entries({ "manifest.yml": manifest, ...rest }).map(([path, body]) => [`my-snap-in/${path}`, body]),
    );
    await upload(files);
    const lease = await (await parts.packages.resolve(SCOPE, "@pkg/f"))?.version.package?.folder?.();
    expect(await readdir(lease?.path ?? "")).toContain("manifest.yml");
  });

  it.each<[string, string, Files]>([
    ["python", "code/function_factory.py", { "code/function_factory.py": "x" }],
    ["python", "code/functions/f.py", { "code/functions/f.py": "x", "code/site-packages/x/y.wasm": "" }],
    ["wasm", "code/f.wasm", { "code/f.wasm": "x" }],
  ])("chooses %s by %s", async (runtime, _file, code) => {
    const { "manifest.yaml": manifest = "", "code/dist/index.js": index = "" } = snapIn(["f"]);
    // The test's analysis wants this file; in no package of this runtime it decides anything.
    const result = await upload({ "manifest.yaml": manifest, "code/dist/index.js": index, ...code });
    expect(result.runtime).toBe(runtime);
    const fn = await parts.packages.resolve(SCOPE, "@pkg/f");
    expect(fn?.version.package?.reuse).toBe(runtime !== "python");
  });

  it("checks everything and changes nothing when it is dry", async () => {
    expect(await upload(snapIn(["f"]), { dryRun: true })).toMatchObject({ changed: true, functions: ["f"] });
    expect(await parts.packages.list(SCOPE)).toEqual([]);
    expect(parts.sandbox.warmed).toEqual([]);
  });

  it("keeps a version that is not promoted, for later", async () => {
    const { version } = await upload(snapIn(["f"]), { promote: false });
    expect(await parts.packages.resolve(SCOPE, "@pkg/f")).toBeUndefined();
    expect(await parts.packages.resolve(SCOPE, "@pkg/f", version)).toBeDefined();
    expect(await parts.packages.promote(SCOPE, { name: "pkg", version: version.slice(0, 8), by: "key" })).toMatchObject({
      seq: 1,
      cause: "promote",
    });
    expect(await parts.packages.resolve(SCOPE, "@pkg/f")).toBeDefined();
  });
});

describe("K2 what fails leaves the branch as it was", () => {
  const good = snapIn(["f"]);
  const bad: readonly [string, Files | Buffer, string, string][] = [
    ["no archive", Buffer.from('{"archive":"x"}'), "InvalidPackage", "cut off"],
    ["an empty archive", Buffer.alloc(0), "InvalidPackage", "empty"],
    ["a cut archive", archiveOf(good).subarray(0, 200), "InvalidPackage", "damaged or cut off"],
    ["no manifest", { "code/package.json": "{}" }, "InvalidPackage", "no manifest.yaml"],
    ["two manifests", { "a/manifest.yaml": "", "b/manifest.yaml": "" }, "InvalidPackage", "several manifests"],
    ["a manifest that is no YAML", { ...good, "manifest.yaml": "a: [" }, "InvalidPackage", "not valid YAML"],
    ["a manifest with aliases", { ...good, "manifest.yaml": "a: &x 1\nb: *x" }, "InvalidPackage", "anchor"],
    ["a wrong manifest", { ...good, "manifest.yaml": 'version: "3"\nname: x\n' }, "InvalidPackage", "manifest.yaml:1 version: "],
    ["a manifest of other bytes", { ...good, "manifest.yaml": new Uint8Array([0xff, 0xfe]) }, "InvalidPackage", "not UTF-8"],
    ["a huge manifest", { ...good, "manifest.yaml": "#".repeat(limit("manifestBytesMax") + 1) }, "InvalidPackage", "may have"],
    ["no code", { "manifest.yaml": good["manifest.yaml"] ?? "" }, "InvalidPackage", "no code"],
    ["a missing handler", { ...good, "code/dist/index.js": "exports.functionFactory = {};" }, "InvalidPackage", "does not export"],
    ["code that throws", { ...good, "code/dist/index.js": "throw new Error('no')" }, "InvalidPackage", "fail"],
    ["code that hangs", { ...good, "code/dist/index.js": "for (;;);" }, "InvalidPackage", "too long"],
  ];

  it.each(bad)("%s", async (_name, files, code, message) => {
    const first = await upload(snapIn(["before"]));
    const [head, ledger] = [await headOf(), await parts.packages.ledger(SCOPE, "pkg")];
    await expect(upload(files)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(await headOf()).toEqual(head);
    expect(await parts.packages.ledger(SCOPE, "pkg")).toEqual(ledger);
    expect((await parts.packages.resolve(SCOPE, "@pkg/before"))?.version.digest).toBe(first.version);
  });

  it("a client that goes away, an archive that is too large, a version that does not warm", async () => {
    await upload(snapIn(["before"]));
    const head = await headOf();
    const blobs = await blobCount();
    const broken = (async function* () {
      yield Buffer.from("half");
      throw new Error("the client is gone");
    })();
    await expect(parts.packages.upload(SCOPE, { name: "pkg", archive: broken, by: "key" })).rejects.toThrow("gone");
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(4 * 1024 * 1024);
    })();
    await expect(parts.packages.upload(SCOPE, { name: "pkg", archive: endless, by: "key" })).rejects.toMatchObject({
      code: "RequestTooLarge",
    });
    expect(await blobCount()).toBe(blobs);
    parts.sandbox.failWarm = true;
    await expect(upload(snapIn(["after"]))).rejects.toMatchObject({ code: "RunnerLost" });
    expect(await headOf()).toEqual(head);
  });

  it.each(["", "A", "1a", "a.b", "../a", "a".repeat(64), "a/b"])("the name %j", async (name) => {
    await expect(upload(snapIn(["f"]), { name })).rejects.toMatchObject({ code: "BadRequest" });
  });

  it("two at once happen one after the other", async () => {
    const [one, two] = await Promise.all([upload(snapIn(["one"])), upload(snapIn(["two"]))]);
    const ledger = await parts.packages.ledger(SCOPE, "pkg");
    expect(ledger.map(({ seq }) => seq)).toEqual([2, 1]);
    expect(new Set(ledger.map(({ version }) => version))).toEqual(new Set([one.version, two.version]));
    expect(ledger[0]?.parent).toBe(ledger[1]?.version);
    expect((await headOf())?.version).toBe(ledger[0]?.version);
  });
});

describe("heads", () => {
  it("go back, and back again, and to a version by its first digits", async () => {
    const versions: string[] = [];
    for (const name of ["one", "two", "three"]) versions.push((await upload(snapIn([name]))).version);
    const rollback = (version?: string) =>
      parts.packages.rollback(SCOPE, { name: "pkg", by: "key", ...(version === undefined ? {} : { version }) });
    expect(await parts.packages.resolve(SCOPE, "@pkg/three")).toBeDefined();
    expect(await rollback()).toMatchObject({ version: versions[1], cause: "rollback", seq: 4 });
    expect(await parts.packages.resolve(SCOPE, "@pkg/three")).toBeUndefined();
    expect(await rollback()).toMatchObject({ version: versions[0] });
    await expect(rollback()).rejects.toMatchObject({ code: "NotFound" });
    expect(await rollback(versions[2]?.slice(0, 10))).toMatchObject({ version: versions[2] });
    await expect(rollback("abc")).rejects.toMatchObject({ code: "BadRequest" });
    await expect(rollback("0".repeat(64))).rejects.toMatchObject({ code: "NotFound" });
    expect(await parts.packages.resolve(SCOPE, "@pkg/three")).toBeDefined();
  });

  it("are promoted from another branch, and apart from it afterwards", async () => {
    const { version } = await upload(snapIn(["f"]), {}, DEV);
    await expect(parts.packages.promote(SCOPE, { name: "pkg", version, by: "key" })).rejects.toMatchObject({ code: "NotFound" });
    await parts.packages.promote(SCOPE, { name: "pkg", version, fromBranch: "dev", by: "key" });
    await upload(snapIn(["g"]), {}, DEV);
    expect((await parts.packages.resolve(SCOPE, "@pkg/f"))?.version.digest).toBe(version);
    expect(await parts.packages.resolve(DEV, "@pkg/f")).toBeUndefined();
  });

  it("differ in files, functions and manifest", async () => {
    const from = await upload(snapIn(["f", "g"], { "code/old.js": "1" }));
    const to = await upload(snapIn(["f", "h"], { "code/new.js": "1" }));
    const diff = await parts.packages.diff(SCOPE, { name: "pkg", from: from.version, to: to.version });
    expect(diff).toMatchObject({
      filesAdded: ["code/new.js"],
      filesRemoved: ["code/old.js"],
      filesChanged: ["code/dist/index.js", "manifest.yaml"],
      functionsAdded: ["h"],
      functionsRemoved: ["g"],
    });
    expect(diff.manifest).toContain("-  - name: g\n");
    expect(diff.manifest).toContain("+  - name: h\n");
  });
});

test("a tenant has so many uploads under way, and others are not kept from theirs", async () => {
  const max = limit("uploadsPerTenantMax");
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => undefined);
  const never = async function* (): AsyncGenerator<Uint8Array> {
    yield await gone.promise;
  };
  const start = (scope: typeof SCOPE) => parts.packages.upload(scope, { name: "pkg", archive: never(), by: "admin" });
  const open = Array.from({ length: max }, () => start(SCOPE));
  await expect(start({ ...SCOPE, branch: "dev" })).rejects.toMatchObject({ code: "TooManyConcurrentRequests" });
  const ended = Promise.allSettled([...open, start({ ...SCOPE, tenant: "b" })]);
  gone.reject(new Error("the client went away"));
  for (const each of await ended) expect(each).toMatchObject({ reason: { message: "the client went away" } });
  expect((await upload(snapIn(["after"]))).changed).toBe(true);
});

describe("K3 collection", () => {
  const DAYS_MS = 86_400_000;

  it("keeps what a head, the ledger or a user refers to, and deletes the rest with its blobs", async () => {
    const inUse = new Set<string>();
    await parts.stop();
    parts = await startPackages({ folder: parts.folder, versionsInUse: () => Promise.resolve(inUse) });
    const unused = (await upload(snapIn(["unused"]), { promote: false })).version;
    const used = (await upload(snapIn(["used"]), { promote: false })).version;
    inUse.add(used);
    const first = (await upload(snapIn(["f0"]))).version;
    for (let i = 1; i <= limit("ledgerVersionsKeptMax"); i++) await upload(snapIn([`f${i % 3 === 0 ? 3 : i % 3}`]));
    const stored = async (version: string) => (await parts.packages.version(SCOPE, "pkg", version)) !== undefined;
    expect(await parts.packages.collect()).toEqual({ versions: 0, blobs: 0 });
    parts.clock.offsetMs = 8 * DAYS_MS;
    const before = await blobCount();
    const { versions } = await parts.packages.collect();
    expect(versions).toBe(2);
    expect([await stored(unused), await stored(used), await stored(first)]).toEqual([false, true, false]);
    parts.clock.offsetMs += 2 * limit("blobGraceMs");
    await parts.packages.collect();
    // Archive, manifest and list of files of two versions.
    expect(before - (await blobCount())).toBeGreaterThanOrEqual(4);
    await expect(parts.packages.rollback(SCOPE, { name: "pkg", version: first, by: "key" })).rejects.toMatchObject({
      code: "VersionCollected",
    });
    expect((await parts.packages.ledger(SCOPE, "pkg")).at(-1)).toMatchObject({ version: first, stored: false });
    expect((await headOf())?.version).not.toBe(first);
    const lease = await (await parts.packages.resolve(SCOPE, "@pkg/used", used))?.version.package?.folder?.();
    expect(lease).toBeDefined();
    expect(await parts.blobs.read("a", unused)).toBeUndefined();
  });

  it("deletes the blob of a refused archive when it is old, and nothing of a tenant that it does not know", async () => {
    await expect(upload(Buffer.from("x".repeat(2000)))).rejects.toMatchObject({ code: "InvalidPackage" });
    expect(await parts.packages.collect()).toEqual({ versions: 0, blobs: 0 });
    parts.clock.offsetMs = 2 * limit("blobGraceMs");
    const careful = collectorOf([]);
    expect(await careful.collect()).toEqual({ versions: 0, blobs: 0 });
    expect(await parts.packages.collect()).toEqual({ versions: 0, blobs: 1 });
  });

  function collectorOf(branches: readonly string[]): Collector {
    const system = createSystemRuntime();
    return new Collector({
      ...parts,
      runtime: { ...system, nowMs: () => system.nowMs() + parts.clock.offsetMs },
      log: createTelemetry({ logLevel: "silent" }).log,
      branchesOf: () => Promise.resolve(branches),
      versionsInUse: () => Promise.resolve(new Set()),
      references: [],
      historyRetentionMs: 0,
    });
  }
});
