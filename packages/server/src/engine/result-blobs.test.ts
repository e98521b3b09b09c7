import { mkdtemp, rm, utimes } from "node:fs/promises";
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

test("a result that is put again while old ones are deleted stays", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plinth-results-"));
  const system = createSystemRuntime();
  const runtime = { ...system, nowMs: () => system.nowMs() + 30 * DAY_MS };
  const blobs = await openDiskBlobs({ folder, runtime: system });
  const space = resultSpace("a");
  const source = async function* () {
    yield Buffer.from("value");
  };
  const { digest } = await blobs.put(space, source(), { bytesMax: 100 });
  const putMs = system.nowMs() + 30 * DAY_MS;
  const putAgain = {
    tenants: () => blobs.tenants(),
    delete: blobs.delete.bind(blobs),
    async *list(tenant: string) {
      for await (const info of blobs.list(tenant)) {
        // Between the look at a blob and its deletion.
        await utimes(
          join(folder, `=${Buffer.from(tenant).toString("hex")}`, info.digest.slice(0, 2), info.digest),
          putMs / 1000,
          putMs / 1000,
        );
        yield info;
      }
    },
  };
  const { log } = createTelemetry({ logLevel: "silent" });
  await new ResultBlobs({ blobs: putAgain, runtime, log, retentionMs: 7 * DAY_MS }).collect();
  expect(await blobs.info(space, digest)).toBeDefined();
  await blobs.close();
  await rm(folder, { recursive: true });
});
