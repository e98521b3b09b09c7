/** Calls that are stored in one commit. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { INVOCATIONS } from "../../packages/server/src/database/record-tables.ts";
import { removeFolder, request, SCOPE, startEngineHost, type EngineHost } from "./engine-host.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await startEngineHost();
}, 60_000);
afterAll(async () => {
  await host.stop();
  await removeFolder(host);
});

const stored = async () =>
  await host.database.read(SCOPE, async ({ records }) => (await records.range(INVOCATIONS, { prefix: [], limit: 1000 })).length);

it("are all there, or none is", { timeout: 60_000 }, async () => {
  const before = await stored();
  const good = request("counters:add", { name: "a", by: 1 });
  await expect(host.engine.enqueueAll([good, good, request("counters:missing")])).rejects.toMatchObject({ code: "FunctionNotFound" });
  const keyed = { ...good, idempotencyKey: "k" };
  const other = { ...request("counters:add", { name: "b", by: 1 }), idempotencyKey: "k" };
  await expect(host.engine.enqueueAll([good, keyed, other])).rejects.toMatchObject({ code: "IdempotencyConflict" });
  expect(await stored()).toBe(before);
  const ids = await host.engine.enqueueAll([good, keyed, keyed]);
  expect(new Set(ids.map(({ id }) => id)).size).toBe(2);
  expect(await stored()).toBe(before + 2);
  expect(await host.engine.enqueueAll([])).toEqual([]);
});
