import { limit } from "@plinth/core/limits.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { VERSIONS } from "../database/record-tables.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { TenantEraser } from "../tenants/tenant-eraser.ts";
import { Tenants } from "../tenants/tenants.ts";
import { startPackages, SCOPE } from "../packages/test-packages.ts";
import { artefactBlobs, deleteVersion, digestOf, putArtefacts, readArtefact } from "./artefacts.ts";

let parts: Awaited<ReturnType<typeof startPackages>>;
const DAY_MS = 86_400_000;

beforeEach(async () => {
  parts = await startPackages({ references: [artefactBlobs], historyRetentionMs: DAY_MS });
});
afterEach(async () => {
  await parts.stop();
  await parts.remove();
});

async function store(script: string) {
  const digest = digestOf(script);
  const blobs = await putArtefacts(parts.blobs, "a", { script, sourceMap: null, analysis: `{"of":"${script}"}` });
  const version = { digest, createdMs: 1, blobs };
  await parts.database.update(SCOPE, async ({ records }) => records.put(VERSIONS, [digest], version));
  return version;
}

async function count(): Promise<number> {
  let blobs = 0;
  for await (const _ of parts.blobs.list("a")) blobs++;
  return blobs;
}

describe("artefacts of versions", () => {
  it("are read as they were put, and never as others", async () => {
    const version = await store("code");
    expect(await readArtefact(parts.blobs, "a", version, "script")).toBe("code");
    expect(await readArtefact(parts.blobs, "a", version, "analysis")).toBe('{"of":"code"}');
    expect(await readArtefact(parts.blobs, "a", version, "sourceMap")).toBeNull();
    await expect(readArtefact(parts.blobs, "b", version, "script")).rejects.toThrow("is stored");
    await expect(readArtefact(parts.blobs, "a", { ...version, digest: digestOf("other") }, "script")).rejects.toThrow("was deployed");
  });

  it("stay while a row, history or a transaction to come refers to them", async () => {
    const kept = await store("kept");
    const dropped = await store("dropped");
    expect(await count()).toBe(4);
    parts.clock.offsetMs = 2 * limit("blobGraceMs");
    expect(await parts.collector.collect()).toEqual({ versions: 0, blobs: 0 });
    const nowMs = Date.now() + parts.clock.offsetMs;
    await parts.database.update(SCOPE, ({ records }) => deleteVersion(records, dropped.digest, nowMs));
    expect(await parts.collector.collect()).toEqual({ versions: 0, blobs: 0 });
    expect(await readArtefact(parts.blobs, "a", dropped, "script")).toBe("dropped");
    parts.clock.offsetMs += DAY_MS + 2 * limit("blobGraceMs");
    expect(await parts.collector.collect()).toEqual({ versions: 0, blobs: 2 });
    expect(await readArtefact(parts.blobs, "a", kept, "script")).toBe("kept");
    await expect(readArtefact(parts.blobs, "a", dropped, "script")).rejects.toThrow("is stored");
  });

  it("are erased with their tenant", async () => {
    const runtime = createSystemRuntime();
    const tenants = new Tenants({ database: parts.database, runtime, tier: 2 });
    for (const name of ["gone", "gone/results", "gone2"]) {
      await putArtefacts(parts.blobs, name, { script: "x", sourceMap: null, analysis: null });
    }
    const eraser = new TenantEraser({
      database: parts.database,
      blobs: parts.blobs,
      tenants,
      log: createTelemetry({ logLevel: "silent" }).log,
    });
    eraser.erase("gone");
    await eraser.settled();
    expect(await parts.blobs.tenants()).toEqual(["gone2"]);
  });
});
