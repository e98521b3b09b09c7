/** Category B: code that takes memory. It ends within its budget, as its author's error. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AbuseHost } from "./abuse-host.ts";

let abuse: AbuseHost;

beforeAll(async () => {
  abuse = await AbuseHost.start();
});

afterAll(async () => {
  await abuse.stop();
});

const EXHAUSTION = {
  "B01 small objects without end": "B01",
  "B02 a huge array fill": "B02",
  "B02 an array that is doubled without end": "B02concat",
  "B04 a string that is doubled without end": "B04",
  "B05 buffers without end": "B05",
  "B08 WebAssembly memories without end": "B08",
  "B09 deep recursion": "B09",
} as const;

describe.each(Object.entries(EXHAUSTION))("%s", (_, name) => {
  test("ends as an error of the function, and the next call works", async () => {
    const result = await abuse.attack(`memory:${name}`);
    expect(result.status).toBe("error");
    expect(result.message).toMatch(
      /out of memory|Invalid string length|Array buffer allocation failed|could not allocate|Maximum call stack|Invalid array length|timed out|not available|is not defined/i,
    );
    expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
  });
});

test("B01 says which limit it was", async () => {
  expect((await abuse.attack("memory:B01quick")).message).toContain("JavaScript execution ran out of memory (maximum memory usage: 64 MB)");
});

test("B06 huge reservations do not hurt", async () => {
  await abuse.attack("memory:B06");
  expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
});

test("B10 a deep chain of proxies is not a failure of the platform", async () => {
  const result = await abuse.attack("memory:B10");
  expect(result.message).not.toMatch(/internal/i);
  expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
});
