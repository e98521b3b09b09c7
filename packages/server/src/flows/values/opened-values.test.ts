import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { FlowValue, StoredValue } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import { blobPath, INCOMING } from "../../blobs/disk/blob-files.ts";
import { makeDiskPlace } from "../../blobs/disk/test-folder.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { LargeValues } from "./large-values.ts";
import { OpenedValues } from "./opened-values.ts";
import { ValueReader } from "./value-reader.ts";

const SCOPE = { tenant: "a", branch: "main" };
const MIB = 1_048_576;
const TYPE = "video/x-test";

let place: Awaited<ReturnType<typeof makeDiskPlace>>;
let blobs: Blobs;
let values: LargeValues;

beforeAll(async () => {
  place = await makeDiskPlace();
  blobs = await place.open();
  values = new LargeValues({ blobs });
});
afterAll(async () => {
  await blobs.close();
  await place.remove();
});

function newCall(): OpenedValues {
  return new OpenedValues({ values, runtime: createSystemRuntime(), scope: SCOPE });
}

function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at * 2_654_435_761 + seed) >>> 0, at);
  return bytes;
}

async function stored(bytes: Buffer): Promise<FlowValue> {
  const source = async function* () {
    yield bytes;
  };
  return { json: null, stored: [{ path: [], value: await values.bodies(SCOPE, null).keep(source(), TYPE) }] };
}

/** A call that was given `body`, and its handle. */
async function given(body: FlowValue) {
  const call = newCall();
  const input = { json: { body: body.json }, stored: (body.stored ?? []).map((part) => ({ ...part, path: ["body", ...part.path] })) };
  return { call, handle: handleIn(await call.give(input, ["body"])) };
}

function handleIn(json: Json): string {
  const { body } = json as { readonly body: { readonly valueHandle: string } };
  return body.valueHandle;
}

function partsOf({ stored: parts = [] }: FlowValue): readonly (readonly [string, StoredValue])[] {
  return parts.map(({ path, value }) => [path.join("."), value]);
}

test("a value is read by pieces, from anywhere and as often as wanted", async () => {
  const bytes = bytesOf(3 * MIB + 17);
  const { call, handle } = await given(await stored(bytes));
  for (const [offset, count] of [
    [0, MIB],
    [MIB, MIB],
    [2 * MIB + 5, 100],
    [2 * MIB, MIB],
    [7, 13],
    [3 * MIB, MIB],
  ] as const) {
    const { body, done } = await call.read(handle, { offset, bytes: count });
    expect([body.equals(bytes.subarray(offset, offset + count)), done]).toEqual([true, offset + count >= bytes.length]);
  }
  expect(await call.read(handle, { offset: bytes.length + 1, bytes: 5 })).toEqual({ body: Buffer.alloc(0), done: true });
  call.close();
});

test("every named input that has a value is a handle, and the others are JSON", async () => {
  const rows = Array.from({ length: 30_000 }, (_, n) => n);
  const call = newCall();
  const kept = await values.keep(SCOPE, { text: "é".repeat(60_000), rows, other: "x".repeat(90_000), small: "é", flag: false, none: null });
  const input = (await call.give(kept, ["text", "rows", "small", "flag", "none", "absent"])) as Readonly<Record<string, unknown>>;
  const about = (bytes: number, contentType: string) => ({ valueHandle: expect.stringMatching(/^value_[\w-]{32}$/), bytes, contentType });
  expect(input).toEqual({
    text: about(120_000, "text/plain; charset=utf-8"),
    rows: about(JSON.stringify(rows).length, "application/json"),
    small: about(2, "text/plain; charset=utf-8"),
    flag: about(5, "application/json"),
    other: "x".repeat(90_000),
    none: null,
  });
  expect(new Set(Object.values(input).flatMap((value) => (value as { valueHandle?: string } | null)?.valueHandle ?? [])).size).toBe(4);
  // Handed on, it is what it was.
  const taken = call.take({ again: input["rows"] as Json, flag: input["flag"] as Json });
  expect(taken.json).toEqual({ again: null, flag: false });
  expect(await values.inlined(SCOPE, taken)).toEqual({ again: rows, flag: false });
});

test("what is written by pieces is a value of the result, and what is not finished leaves nothing", async () => {
  const bytes = bytesOf(2 * MIB + 3, 7);
  const call = newCall();
  const writer = call.begin(TYPE);
  for (let offset = 0; offset < bytes.length; offset += MIB)
    await call.write(writer, { offset, body: bytes.subarray(offset, offset + MIB) });
  const handle = await call.finish(writer);
  const left = call.begin(TYPE);
  await call.write(left, { offset: 0, body: bytesOf(5, 99) });
  const taken = call.take({ files: [{ ...handle }, "text"] });
  expect(taken.json).toEqual({ files: [null, "text"] });
  const [[path, value] = ["", undefined]] = partsOf(taken);
  expect([path, value?.bytes, value?.contentType]).toEqual(["files.0", bytes.length, TYPE]);
  expect((await blobs.read("a", value?.digest ?? ""))?.equals(bytes)).toBe(true);
  await expect(call.finish(writer)).rejects.toMatchObject({ code: "InvalidArgument" });
  call.close();
  await expect(call.write(left, { offset: 5, body: Buffer.alloc(1) })).rejects.toMatchObject({ code: "InvalidArgument" });
  await vi.waitFor(async () => expect(await readdir(join(place.folder, INCOMING))).toEqual([]), { timeout: 30_000 });
});

test("H1 another call's handle is JSON in a result and opens nothing, and so is one of an attempt before", async () => {
  const { handle } = await given(await stored(bytesOf(100_000)));
  const call = newCall();
  const forged = { valueHandle: handle, bytes: 1, contentType: TYPE };
  const own = call.begin(TYPE);
  const written = await call.finish(own);
  await expect(call.read(handle, { offset: 0, bytes: 1 })).rejects.toMatchObject({ code: "InvalidArgument" });
  expect(call.take({ a: forged, b: { ...written } }).json).toEqual({ a: forged, b: null });
  call.beginAttempt();
  expect(call.take({ b: { ...written } })).toEqual({ json: { b: written } });
  await expect(call.read(written.valueHandle, { offset: 0, bytes: 1 })).rejects.toMatchObject({ code: "InvalidArgument" });
});

test("H2 pieces that wait, writers, values and bytes are bounded", async () => {
  const { call, handle } = await given(await stored(bytesOf(8 * MIB)));
  const many = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => call.read(handle, { offset: n, bytes: MIB })));
  expect(many.filter(({ status }) => status === "fulfilled").length).toBe(limit("valuePiecesWaitingMax"));
  for (let i = 0; i < limit("valueWritersMax"); i++) call.begin(TYPE);
  expect(() => call.begin(TYPE)).toThrow(/Values that one call writes at the same time/);
  call.beginAttempt();
  const writer = call.begin(TYPE);
  await expect(call.write(writer, { offset: 1, body: Buffer.alloc(1) })).rejects.toThrow(/begins at 0/);
  call.close();
});

test("H2 what is passed over is counted, so that going back is no way to more of the disk", async () => {
  let counted = 0;
  const chunks = Array.from({ length: 10 }, () => Buffer.alloc(100));
  const count = (bytes: number): void => {
    counted += bytes;
    if (counted > 2500) throw new Error("enough");
  };
  const reader = new ValueReader(() => Promise.resolve(Readable.from(chunks, { objectMode: false, highWaterMark: 1 })), count);
  await reader.read({ offset: 990, bytes: 1 });
  await reader.read({ offset: 991, bytes: 1 });
  expect(counted).toBe(1000);
  await reader.read({ offset: 950, bytes: 50 });
  expect(counted).toBe(2000);
  await expect(reader.read({ offset: 0, bytes: 1000 })).rejects.toThrow("enough");
});

test("L3 the last piece of bytes that were changed never comes, and a failing disk fails the writer", async () => {
  const value = await stored(bytesOf(MIB, 5));
  const { call, handle } = await given(value);
  const file = await open(join(place.folder, blobPath("a", value.stored?.[0]?.value.digest ?? "") ?? ""), "r+");
  await file.write(Buffer.of(1, 2, 3), 0, 3, MIB / 4);
  await file.close();
  const { done } = await call.read(handle, { offset: 0, bytes: MIB / 2 });
  expect(done).toBe(false);
  for (let again = 0; again < 2; again++)
    await expect(call.read(handle, { offset: MIB / 2, bytes: MIB })).rejects.toMatchObject({ code: "StoreFailure" });

  const put = () => Promise.reject(new Error("no room"));
  const full = new LargeValues({ blobs: { put, open: () => Promise.resolve(undefined), read: () => Promise.resolve(undefined) } });
  const other = new OpenedValues({ values: full, runtime: createSystemRuntime(), scope: SCOPE });
  const writer = other.begin(TYPE);
  await other.write(writer, { offset: 0, body: Buffer.alloc(10) });
  await expect(other.write(writer, { offset: 10, body: Buffer.alloc(10) })).rejects.toThrow("no room");
  await expect(other.finish(writer)).rejects.toThrow("no room");
});
