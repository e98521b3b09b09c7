/** What becomes of the bytes of stored values: kept as long as a run of any branch has them, and then deleted. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FlowValue, StoredValue } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../../database/database.ts";
import { startPackages } from "../../packages/test-packages.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { createTelemetry } from "../../telemetry/telemetry.ts";
import { TenantEraser } from "../../tenants/tenant-eraser.ts";
import { Tenants } from "../../tenants/tenants.ts";
import { endedKey } from "../retention/ended-runs.ts";
import { deleteRun } from "../retention/delete-run.ts";
import { WrittenRun } from "../retention/test-runs.ts";
import { LargeValues } from "./large-values.ts";
import { OpenedValues } from "./opened-values.ts";
import { flowBlobs } from "./value-rows.ts";

const MAIN: Scope = { tenant: "a", branch: "main" };
const DEV: Scope = { tenant: "a", branch: "dev" };
const OTHER: Scope = { tenant: "b", branch: "main" };
const HISTORY_MS = 3_600_000;
const GRACE_MS = limit("blobGraceMs");

const system = createSystemRuntime();
const { log } = createTelemetry({ logLevel: "silent" });
let parts: Awaited<ReturnType<typeof startPackages>>;
let values: LargeValues;
let branches: readonly string[] = [];
let next = 0;

beforeAll(async () => {
  parts = await startPackages({
    references: [flowBlobs(() => Promise.resolve())],
    branchesOf: () => Promise.resolve(branches),
    historyRetentionMs: HISTORY_MS,
  });
  values = new LargeValues({ blobs: parts.blobs });
});
afterAll(async () => {
  await parts.stop();
  await parts.remove();
});
beforeEach(() => {
  branches = ["main", "dev"];
  parts.clock.offsetMs = 0;
});

/** A text that no other test has. */
function newText(): string {
  next += 1;
  return String(next).padEnd(100_000, "x");
}

/** A run of the branch that has the value. */
async function runWith(scope: Scope, value: FlowValue): Promise<WrittenRun> {
  next += 1;
  const run = new WrittenRun(parts.database, scope, { id: `r${next}` });
  await run.begin(system.nowMs(), value);
  return run;
}

async function keep(scope: Scope, text = newText()): Promise<{ readonly value: FlowValue; readonly stored: StoredValue }> {
  const value = await values.keep(scope, text);
  const [part] = value.stored ?? [];
  if (part === undefined) throw new Error("it is stored");
  return { value, stored: part.value };
}

/** What is there after a collection, when so much time has gone by. */
async function left(offsetMs: number, ...stored: readonly StoredValue[]): Promise<readonly boolean[]> {
  parts.clock.offsetMs = offsetMs;
  await parts.collector.collect();
  return await Promise.all(stored.map(async ({ digest }) => (await parts.blobs.info("a", digest)) !== undefined));
}

test("bytes go when no run has them, nobody can read one that had them, and they are old", async () => {
  const [of, unused] = [await keep(MAIN), await keep(MAIN)];
  const run = await runWith(MAIN, of.value);
  expect(await left(0, of.stored, unused.stored)).toEqual([true, true]);
  expect(await left(GRACE_MS + 60_000, of.stored, unused.stored)).toEqual([true, false]);

  await run.signal(system.nowMs(), { json: "end" });
  const { id, flow, endedMs } = run.stored.row;
  const ended = { scope: MAIN, id, flow, endedMs: endedMs ?? 0 };
  expect(endedKey(ended)).toContain(id);
  const runtime = { ...system, nowMs: () => system.nowMs() + parts.clock.offsetMs };
  expect(await deleteRun({ database: parts.database, runtime }, ended)).toBe(true);
  // Its rows can be read in history.
  expect(await left(GRACE_MS + 60_000, of.stored)).toEqual([true]);
  expect(await left(GRACE_MS + 60_000 + HISTORY_MS + GRACE_MS + 60_000, of.stored)).toEqual([false]);
});

test("the bytes of a branch go with it, except those that another branch has too", async () => {
  const [own, shared] = [await keep(DEV), await keep(MAIN)];
  await runWith(DEV, own.value);
  await runWith(DEV, shared.value);
  await runWith(MAIN, shared.value);
  expect(await left(2 * GRACE_MS, own.stored, shared.stored)).toEqual([true, true]);
  expect(await parts.database.eraseBranch(DEV)).toBe(true);
  branches = ["main"];
  expect(await left(2 * GRACE_MS, own.stored, shared.stored)).toEqual([false, true]);
});

test("what code wrote by pieces and no result has is collected", async () => {
  const call = new OpenedValues({ values, runtime: system, scope: MAIN });
  const written = async (text: string): Promise<FlowValue> => {
    const writer = call.begin("text/plain");
    await call.write(writer, { offset: 0, body: Buffer.from(text) });
    return call.take({ ...(await call.finish(writer)) });
  };
  const [returned, forgotten] = [await written(newText()), await written(newText())];
  call.close();
  const [a, b] = [returned, forgotten].map(({ stored }) => stored?.[0]?.value);
  if (a === undefined || b === undefined) throw new Error("they are stored");
  await runWith(MAIN, returned);
  expect(await left(0, a, b)).toEqual([true, true]);
  expect(await left(2 * GRACE_MS, a, b)).toEqual([true, false]);
});

test("the bytes of a deleted tenant go at once, and not those of another one that has the same", async () => {
  const text = newText();
  const [mine, theirs] = [await keep(MAIN, text), await keep(OTHER, text)];
  expect(mine.stored).toEqual(theirs.stored);
  await runWith(MAIN, mine.value);
  await runWith(OTHER, theirs.value);
  const tenants = new Tenants({ database: parts.database, runtime: system, tier: 2 });
  const eraser = new TenantEraser({ database: parts.database, blobs: parts.blobs, tenants, log });
  eraser.erase("a");
  await eraser.settled();
  expect(await parts.blobs.tenants()).toEqual(["b"]);
  await expect(values.open(MAIN, mine.stored)).rejects.toMatchObject({ code: "StoreFailure" });
  expect(await values.read(OTHER, theirs.stored)).toBe(text);
  expect(await parts.database.read(MAIN, ({ records }) => flowBlobs(() => Promise.resolve())(records))).toEqual([]);
});
