/** Category A: code that does not end. Each case ends at its deadline, and the next call works. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AbuseHost, pause } from "./abuse-host.ts";

/** One second of user time, the grace before the kill, and what a slow and busy machine adds; nothing else would end the code so soon. */
const OVER_MS_MAX = 15_000;

let abuse: AbuseHost;

beforeAll(async () => {
  abuse = await AbuseHost.start();
});

afterAll(async () => {
  await abuse.stop();
});

const TIMEOUTS = {
  "A01 infinite loop in a handler": "A01",
  "A04 spin after awaiting a host call": "A04",
  "A05 catastrophic regular expression": "A05",
  "A06 indexOf over 2^53 elements": "A06",
  "A06 squaring of huge integers": "A06bigint",
  "A12 getters of a thrown object loop": "A12",
  "A13 prepareStackTrace loops": "A13",
  "A14 toJSON of the result loops": "A14toJSON",
  "A14 then of the result loops": "A14then",
  "A14 getter of the result loops": "A14getter",
  "A14 proxy traps of the result loop": "A14proxy",
  "A01 endless microtasks": "microtasks",
} as const;

describe.each(Object.entries(TIMEOUTS))("%s", (_, name) => {
  test("times out, and the next call works", async () => {
    const result = await abuse.attack(`cpu:${name}`);
    expect(result.status).toBe("error");
    // Some shapes are refused at once because they cannot be sent; none may hang.
    expect(result.message).toMatch(/timed out|not a supported|not serialisable|hidden|Error/);
    expect(result.tookMs).toBeLessThan(OVER_MS_MAX);
    expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
  });
});

test("A01 says which limit it was", async () => {
  expect((await abuse.attack("cpu:A01")).message).toContain("Function execution timed out (maximum duration: 1s)");
});

test("A08 Atomics.wait cannot block", async () => {
  const result = await abuse.attack("cpu:A08");
  expect(result.status).toBe("error");
  expect(result.tookMs).toBeLessThan(OVER_MS_MAX);
});

test("A09 a promise that nobody settles is found at once", async () => {
  const result = await abuse.attack("cpu:A09");
  expect(result.message).toContain("Returned promise will never resolve");
});

test("A10 timers that are left behind end with the call", async () => {
  expect(await abuse.attack("cpu:A10")).toMatchObject({ status: "success", value: "done", logLines: [] });
  await pause(100);
});

test("A16 fifty spinning calls of one tenant leave the neighbour alone", async () => {
  const results = await abuse.during(() => Promise.all(Array.from({ length: 50 }, () => abuse.callAsAttacker("cpu:A01"))));
  expect(results.every(({ status }) => status === "error")).toBe(true);
  expect((await abuse.callAsAttacker("guest:marks")).status).toBe("success");
}, 60_000);
