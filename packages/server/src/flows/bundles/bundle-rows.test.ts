/** What keeps bundles: versions of flows, and history after them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { FLOW_VERSION_BUNDLES } from "../../database/record-tables.ts";
import { SCOPE, startPackages, streamOf } from "../../packages/test-packages.ts";
import { flowBundleBlobs, forgetBundlesOf } from "./bundle-rows.ts";

const DAY_MS = 86_400_000;
let parts: Awaited<ReturnType<typeof startPackages>>;
beforeEach(async () => {
  parts = await startPackages({ references: [flowBundleBlobs], historyRetentionMs: DAY_MS });
});
afterEach(async () => {
  await parts.stop();
  await parts.remove();
});

const put = async (text: string): Promise<string> =>
  (await parts.blobs.put(SCOPE.tenant, streamOf(Buffer.from(text)), { bytesMax: 1000 })).digest;
const isThere = async (digest: string): Promise<boolean> => (await parts.blobs.info(SCOPE.tenant, digest)) !== undefined;

test("a bundle is kept while a version of a flow uses it, and while history may be read in which one does", async () => {
  const [used, shared, unused] = await Promise.all([put("used"), put("shared"), put("unused")]);
  await parts.database.update({ ...SCOPE, branch: "dev" }, async ({ records }) => {
    records.put(FLOW_VERSION_BUNDLES, ["a", "1"], { digests: [used, shared] });
    records.put(FLOW_VERSION_BUNDLES, ["b", "1"], { digests: [shared] });
    return await Promise.resolve();
  });
  await parts.collector.collect();
  expect(await isThere(unused), "it came lately").toBe(true);
  parts.clock.offsetMs += limit("blobGraceMs") + 1000;
  await parts.collector.collect();
  expect(await Promise.all([used, shared, unused].map(isThere))).toEqual([true, true, false]);

  await parts.database.update({ ...SCOPE, branch: "dev" }, ({ records }) =>
    forgetBundlesOf(records, { flow: "a", version: "1", nowMs: Date.now() + parts.clock.offsetMs }),
  );
  await parts.collector.collect();
  expect(await isThere(used)).toBe(true);
  parts.clock.offsetMs += DAY_MS + limit("blobGraceMs") + 1000;
  await parts.collector.collect();
  expect(await Promise.all([used, shared].map(isThere))).toEqual([false, true]);
});
