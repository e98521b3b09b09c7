/**
 * Category H: the runner itself is hostile. Raw runners in the real jail send what they like; the host
 * must end them, type every outcome, keep its memory, and serve the neighbour all the while.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readdirSync } from "node:fs";
import {
  callOnce,
  NEVER,
  openTestSandbox,
  PLAIN,
  QUIET,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import type { CallHandler, CallOutcome } from "../../packages/server/src/sandbox/sandbox.ts";
import type { RunnerEnd } from "../../packages/server/src/sandbox/runner.ts";

const CANARY_EVERY_MS = 20;
const LIMITS = requestOf("").limits;

let open: TestSandbox;
let canary: { stop(): Promise<{ readonly calls: number; readonly bad: readonly CallOutcome[] }> };

beforeAll(async () => {
  open = await openTestSandbox({ warmRunners: 2 });
});

afterAll(async () => {
  await open.sandbox.close();
  expect(open.sandbox.status()).toMatchObject({ runners: 0, busy: 0, memoryBytes: 0 });
});

afterEach(async () => {
  const { bad } = await canary.stop();
  expect(bad, "the neighbour had no error").toEqual([]);
});

/** Calls as the neighbour until stopped. */
function startCanary(): typeof canary {
  let running = true;
  const bad: CallOutcome[] = [];
  let calls = 0;
  const done = (async () => {
    while (running) {
      const outcome = await callOnce(open.sandbox, { tenant: "canary", request: requestOf("echo", { calls }) });
      if (outcome.kind !== "ok") bad.push(outcome);
      calls++;
      await pause(CANARY_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await done;
      return { calls, bad };
    },
  };
}

async function attack(
  path: string,
  arg: unknown = {},
  options: { readonly handler?: CallHandler; readonly limits?: Partial<typeof LIMITS> } = {},
): Promise<{ readonly outcome: CallOutcome; readonly end: RunnerEnd | undefined }> {
  canary = startCanary();
  const lease = await open.sandbox.acquire({ tenant: `attacker ${++attacks}`, branch: "main", lane: "transaction", version: PLAIN }, NEVER);
  const outcome = await lease.run(requestOf(path, arg, { limits: { ...LIMITS, ...options.limits } }), options.handler ?? QUIET, NEVER);
  // The end may follow the outcome when the runner went on misbehaving.
  await pause(30);
  lease.release();
  const event = open.events.find((each) => each.type === "ended" && each.runner === lease.runnerId);
  return { outcome, end: event?.type === "ended" ? event.end : undefined };
}

let attacks = 0;

function lengthPrefix(...numbers: readonly number[]): { readonly base64: string } {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return { base64: bytes.toString("base64") };
}

const USE = '"heapBytes":1,"observedTime":false,"observedRandom":false';

describe("H01 lengths of frames", () => {
  test.each([
    ["zero", lengthPrefix(0)],
    ["shorter than its envelope length", lengthPrefix(3)],
    ["one over the largest", lengthPrefix(24 * 2 ** 20 + 1)],
    ["the largest number", lengthPrefix(0xffffffff)],
    ["negative as a signed number", lengthPrefix(0x80000000)],
    ["an envelope longer than the frame", lengthPrefix(100, 200)],
    ["an envelope over its cap", lengthPrefix(2 ** 20, 2 ** 19)],
  ])("%s ends the runner", async (_, arg) => {
    const before = process.memoryUsage().arrayBuffers;
    const { outcome, end } = await attack("raw", arg);
    expect(outcome.kind).toBe("security");
    expect(end?.kind).toBe("violation");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
  });

  test("a frame in single bytes is a frame", async () => {
    expect((await attack("rawBytewise", { fine: true })).outcome).toMatchObject({ kind: "ok", valueText: '[{"fine":true}]' });
  });

  test("a frame that stops in its middle waits, and its call times out", async () => {
    const { outcome } = await attack("raw", lengthPrefix(1000, 20), { limits: { cpuMs: 100, wallMs: 150 } });
    expect(outcome.kind).toBe("timeout");
  });
});

describe("H03 H04 envelopes", () => {
  const deep = `${'{"a":'.repeat(30)}1${"}".repeat(30)}`;
  test.each([
    ["not JSON", "nonsense"],
    ["empty", ""],
    ["an array", "[]"],
    ["null", "null"],
    ["deep", deep],
    ["very deep", "[".repeat(30_000)],
    ["unknown type", '{"type":"shutdown"}'],
    ["no type", `{"call":"$call",${USE}}`],
    ["a field too many", `{"type":"result","call":"$call",${USE},"tenant":"other"}`],
    ["a field too few", '{"type":"result","call":"$call","heapBytes":1,"observedTime":false}'],
    ["a wrong type of field", `{"type":"result","call":"$call","heapBytes":"1","observedTime":false,"observedRandom":false}`],
    ["infinite", `{"type":"result","call":"$call","heapBytes":1e999,"observedTime":false,"observedRandom":false}`],
    ["negative", `{"type":"result","call":"$call","heapBytes":-1,"observedTime":false,"observedRandom":false}`],
    ["a fraction", `{"type":"result","call":"$call","heapBytes":1.5,"observedTime":false,"observedRandom":false}`],
    ["beyond exact numbers", `{"type":"result","call":"$call","heapBytes":9007199254740993,"observedTime":false,"observedRandom":false}`],
    ["a prototype", `{"type":"result","call":"$call",${USE},"__proto__":{"polluted":true}}`],
    ["a constructor", `{"type":"result","call":"$call",${USE},"constructor":{}}`],
    ["ready again", '{"type":"ready","protocol":1,"runtime":"raw","engine":"x"}'],
    ["an unasked loaded", '{"type":"loaded","version":"x"}'],
    ["a source map of a version that is not there", '{"type":"needSourceMap","version":"x"}'],
    ["a failure that is not one", `{"type":"failure","call":"$call","kind":"fine",${USE}}`],
    ["an op with control characters", '{"type":"call","call":"$call","id":1,"op":"a\\nb"}'],
  ])("%s ends the runner", async (_, text) => {
    const { outcome, end } = await attack("envelope", { text });
    expect(outcome.kind).toBe("security");
    expect(end?.kind).toBe("violation");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("a body that is not UTF-8 ends the runner", async () => {
    expect((await attack("badUtf8")).outcome.kind).toBe("security");
  });

  test("a failure with a body of the wrong form ends the runner", async () => {
    expect(
      (await attack("envelope", { text: `{"type":"failure","call":"$call","kind":"error",${USE}}`, bodyText: '{"message":1}' })).outcome
        .kind,
    ).toBe("security");
  });
});

describe("H05 ids", () => {
  test.each([
    ["another call", `{"type":"result","call":4000,${USE}}`],
    ["call 0", `{"type":"log","call":0,"level":"info","truncated":false,"dropped":0}`],
    ["a host call of another call", '{"type":"call","call":4000,"id":1,"op":"1.0/get"}'],
  ])("%s is refused", async (_, text) => {
    expect((await attack("envelope", { text })).outcome.kind).toBe("security");
  });

  test("a second result, and an effect after the end, end the runner; the first result stands", async () => {
    for (const path of ["twice", "afterEnd"]) {
      const calls: string[] = [];
      const { outcome, end } = await attack(path, {}, { handler: { ...QUIET, call: async (op) => (calls.push(op), "null") } });
      await canary.stop();
      expect(outcome).toMatchObject({ kind: "ok", valueText: "1" });
      expect(end?.kind).toBe("violation");
      expect(calls).toEqual([]);
    }
  });

  test("the same id twice and too many host calls end the runner", async () => {
    const handler: CallHandler = { ...QUIET, call: () => new Promise(() => undefined) };
    for (const path of ["sameId", "tooManyCalls"]) {
      expect((await attack(path, {}, { handler })).outcome.kind).toBe("security");
      await canary.stop();
    }
  });
});

test("H08 text of the runner is carried as it is and cut", async () => {
  const lines: string[] = [];
  const text = `\u001b[2J<script>\n${"x".repeat(10_000)}`;
  const { outcome } = await attack("log", { lines: 2, text }, { handler: { ...QUIET, log: (line) => lines.push(line.text) } });
  expect(outcome.kind).toBe("ok");
  expect(lines.map((line) => line.length)).toEqual([LIMITS.logLineBytes, LIMITS.logLineBytes]);
});

test("H10 a flood of console lines ends the runner", async () => {
  let lines = 0;
  const { outcome } = await attack("log", { lines: 100_000, text: "x" }, { handler: { ...QUIET, log: () => void lines++ } });
  expect(outcome.kind).toBe("security");
  expect(lines).toBeLessThanOrEqual(LIMITS.logLines + 1);
});

test("H11 a runner that asks and does not read is ended, and the host does not keep its answers", async () => {
  const big = "x".repeat(4 * 2 ** 20);
  const before = process.memoryUsage().rss;
  const { outcome, end } = await attack(
    "stopReading",
    {},
    { handler: { ...QUIET, call: async () => big }, limits: { wallMs: 20_000, cpuMs: 20_000 } },
  );
  expect(outcome.kind).toBe("lost");
  expect(end?.kind).toBe("stalled");
  expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20);
});

test("H11 a runner that leaves a little unread is ended after the stall time", async () => {
  const handler: CallHandler = { ...QUIET, call: async () => "x".repeat(2 ** 18) };
  const { outcome, end } = await attack("stopReading", {}, { handler, limits: { wallMs: 20_000, cpuMs: 20_000 } });
  expect(outcome.kind).toBe("lost");
  expect(end).toMatchObject({ kind: "stalled", detail: expect.stringMatching(/read nothing for 5\d{3} ms/) });
});

describe("H12 C14 silence and death", () => {
  test.each(["closeSocket", "halfClose", "closeMidFrame", "abort", "killSelf"])("%s is a typed loss", async (path) => {
    const { outcome, end } = await attack(path);
    expect(outcome.kind).toBe("lost");
    expect(end?.kind).toBe("crashed");
  });

  test.each([0, 1, 3, 137])("an exit with code %d is a typed loss", async (code) => {
    expect((await attack("exit", { code })).outcome.kind).toBe("lost");
  });

  test("silence ends at the deadline", async () => {
    const { outcome } = await attack("silent", {}, { limits: { cpuMs: 100, wallMs: 300 } });
    expect(outcome).toMatchObject({ kind: "timeout" });
    expect(outcome.usage.wallMs).toBeLessThan(10_000);
  });

  test("descriptors of the host are given back", async () => {
    const count = (): number => readdirSync("/proc/self/fd").length;
    await attack("exit", { code: 0 });
    await canary.stop();
    await open.sandbox.settled();
    const before = count();
    for (const path of ["abort", "closeSocket", "raw", "silent"]) {
      await attack(path, lengthPrefix(0), { limits: { cpuMs: 50, wallMs: 100 } });
      await canary.stop();
    }
    // Runners of attackers that live on are ended; the canary's and the warm ones are the same as before.
    await pause(300);
    await open.sandbox.settled();
    expect(Math.abs(count() - before)).toBeLessThanOrEqual(2);
  });
});

test("H13 what the runner says of its use is not what is counted", async () => {
  const { outcome } = await attack("envelope", {
    text: '{"type":"result","call":"$call","heapBytes":9007199254740991,"observedTime":true,"observedRandom":true}',
  });
  expect(outcome.kind).toBe("ok");
  expect(outcome.usage.memoryBytes).toBeLessThan(2 ** 30);
  expect(outcome.usage.hostCalls).toBe(0);
});

test("a result over its limit is an error of the function", async () => {
  const { outcome } = await attack("bigResult", { bytes: 2000 }, { limits: { resultBytes: 1000 } });
  expect(outcome).toMatchObject({ kind: "error" });
});

test("output to standard output and error is read, bounded and believed nothing", async () => {
  expect((await attack("output", { lines: 20_000 })).outcome.kind).toBe("ok");
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
