import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoredPart } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import { makeDiskPlace } from "../../blobs/disk/test-folder.ts";
import { LargeValues } from "./large-values.ts";
import { jsonBytes, joinValue, splitValue } from "./split-value.ts";

const SCOPE = { tenant: "a", branch: "main" };
const KIB = 1024;

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

function parts(stored: readonly StoredPart[] = []) {
  return stored.map(({ path, value: { bytes, contentType } }) => ({ path, bytes, contentType }));
}

test("a small value stays as it is; of a large one the largest fields are taken, and what is left is small", async () => {
  const small = { a: "x".repeat(60 * KIB) };
  expect(await values.keep(SCOPE, small)).toEqual({ json: small });
  const large = { status: 200, body: { name: "n", rows: Array.from({ length: 3000 }, (_, n) => ({ n, text: "row" })) } };
  const kept = await values.keep(SCOPE, large);
  expect(kept.json).toEqual({ status: 200, body: { name: "n", rows: null } });
  expect(parts(kept.stored)).toEqual([{ path: ["body", "rows"], bytes: jsonBytes(large.body.rows), contentType: "application/json" }]);
  expect(await values.inlined(SCOPE, kept)).toEqual(large);
});

test("whatever is split fits into a journal, and joins to what it was", () => {
  const max = 2 * KIB;
  const texts = (count: number, chars: number): Json => Array.from({ length: count }, (_, i) => String(i).padEnd(chars, "."));
  const cases: readonly Json[] = [
    "é".repeat(3000),
    texts(20, 500),
    texts(5000, 3),
    Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i])),
    { a: { b: { c: texts(4, 1500), d: 1 } }, e: "x".repeat(1500) },
    { a: null, b: [null, { c: "x".repeat(9000) }], "": { "": "y".repeat(9000) } },
  ];
  for (const json of cases) {
    const split = splitValue(json, max);
    expect(jsonBytes(split.json)).toBeLessThanOrEqual(max);
    expect(split.parts.length).toBeGreaterThan(0);
    expect(joinValue(split.json, split.parts)).toEqual(json);
  }
});

test("texts are stored as they are, also such as UTF-8 has no form for, and bytes arrive as base64", async () => {
  const odd = `\ud800${"x".repeat(70 * KIB)}`;
  const kept = await values.keep(SCOPE, { plain: "é".repeat(40 * KIB), odd });
  expect(parts(kept.stored).map(({ contentType }) => contentType)).toEqual(
    expect.arrayContaining(["text/plain; charset=utf-8", "application/json"]),
  );
  expect(await values.inlined(SCOPE, kept)).toEqual({ plain: "é".repeat(40 * KIB), odd });
  const bytes = Buffer.from([0xff, 0xfe, 1, 2]);
  const bodies = values.bodies(SCOPE, null);
  const source = async function* () {
    yield bytes;
  };
  expect(await values.read(SCOPE, await bodies.keep(source(), "application/json"))).toBe(bytes.toString("base64"));
});

test("what a call is given is bounded; code is told of the rest what it is", async () => {
  const large = await values.keep(SCOPE, "x".repeat(limit("flowInlinedBytesMax") + 1));
  await expect(values.inlined(SCOPE, large)).rejects.toMatchObject({ code: "LimitExceeded" });
  const small = await values.keep(SCOPE, "y".repeat(100 * KIB));
  const context = { json: { large: null, small: null }, stored: [at("large", large.stored), at("small", small.stored)] };
  expect(await values.described(SCOPE, context)).toMatchObject({
    large: { bytes: limit("flowInlinedBytesMax") + 1, contentType: "text/plain; charset=utf-8" },
    small: "y".repeat(100 * KIB),
  });
});

function at(name: string, stored: readonly StoredPart[] = []): StoredPart {
  const [part] = stored;
  if (part === undefined) throw new Error("it is stored");
  return { ...part, path: [name] };
}

test("L3 bytes that were changed are never handed on whole", async () => {
  const text = "z".repeat(300 * KIB);
  const { stored } = await values.keep(SCOPE, text);
  const { value } = at("", stored);
  expect(value.digest).toBe(createHash("sha256").update(text).digest("hex"));
  await place.damage("a", value.digest);
  await expect(values.read(SCOPE, value)).rejects.toMatchObject({ code: "StoreFailure" });
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of await values.open(SCOPE, value)) bytes += (chunk as Buffer).length;
  })();
  await expect(reading).rejects.toMatchObject({ code: "StoreFailure" });
  expect(bytes).toBe(0);
  // Of another tenant, it is not there at all.
  await expect(values.open({ tenant: "b", branch: "main" }, value)).rejects.toMatchObject({ code: "StoreFailure" });
});
