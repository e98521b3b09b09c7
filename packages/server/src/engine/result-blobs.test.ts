import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDiskBlobs } from "../blobs/disk/disk-blobs.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { resultSpace } from "./large-results.ts";
import { ResultBlobs } from "./result-blobs.ts";

const DAY_MS = 86_400_000;

test("results are deleted when their records are, blobs of versions never", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plinth-results-"));
  const system = createSystemRuntime();
  let aheadMs = 0;
  const runtime = { ...system, nowMs: () => system.nowMs() + aheadMs };
  const blobs = await openDiskBlobs({ folder, runtime: system });
  const { log } = createTelemetry({ logLevel: "silent" });
  const results = new ResultBlobs({ blobs, runtime, log, retentionMs: 7 * DAY_MS });
  const source = async function* () {
    yield Buffer.from("value");
  };
  await blobs.put(resultSpace("a"), source(), { bytesMax: 100 });
  const version = await blobs.put("a", source(), { bytesMax: 100 });
  aheadMs = 8 * DAY_MS;
  expect(await results.collect()).toBe(0);
  aheadMs = 10 * DAY_MS;
  expect(await results.collect()).toBe(1);
  expect(await blobs.info(resultSpace("a"), version.digest)).toBeUndefined();
  expect(await blobs.info("a", version.digest)).toBeDefined();
  await blobs.close();
  await rm(folder, { recursive: true });
});
