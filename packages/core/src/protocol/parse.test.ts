import fc from "fast-check";
import { expect, test } from "vitest";
import { limit } from "../limits.ts";
import { ProtocolViolation } from "./frames.ts";
import { parseAnalyzeResult, parseHttpActionResponse, parseRunnerEnvelope, parseRunnerFailure } from "./parse.ts";
import type { AnalyzeResult, RunnerEnvelope } from "./runner-protocol.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

const VALID: readonly RunnerEnvelope[] = [
  { type: "ready", protocol: 2, runtime: "isolate", engine: "14.6" },
  { type: "loaded", version: "sha256:ab12" },
  { type: "loadFailed", version: "v" },
  { type: "needSourceMap", version: "v" },
  { type: "call", call: 1, id: 0, op: "1.0/db/normalizeId" },
  { type: "log", call: 1, level: "warn", truncated: false, dropped: 0 },
  { type: "result", call: 1, heapBytes: 10, observedTime: true, observedRandom: false },
  { type: "failure", call: 4294967295, kind: "timeout", heapBytes: 0, observedTime: true, observedRandom: false },
];

test("every envelope of the protocol is read as it is", () => {
  for (const envelope of VALID) expect(parseRunnerEnvelope(bytes(envelope))).toEqual(envelope);
});

test("a missing, additional, or changed field is refused", () => {
  for (const envelope of VALID) {
    const fields = Object.entries(envelope);
    for (const [name, value] of fields) {
      expect(() => parseRunnerEnvelope(bytes(Object.fromEntries(fields.filter(([each]) => each !== name))))).toThrow(ProtocolViolation);
      const wrong =
        typeof value === "number"
          ? [-1, 0.5, 1e300, "1", null, true]
          : typeof value === "string"
            ? [1, null, "\u0000", "x".repeat(5000), []]
            : [0, "true", null];
      for (const each of wrong) {
        if (name === "runtime" || name === "engine") continue;
        expect(() => parseRunnerEnvelope(bytes({ ...envelope, [name]: each })), `${name}=${JSON.stringify(each)}`).toThrow(
          ProtocolViolation,
        );
      }
    }
    expect(() => parseRunnerEnvelope(bytes({ ...envelope, more: 1 }))).toThrow(ProtocolViolation);
    expect(() => parseRunnerEnvelope(bytes(JSON.stringify(envelope).replace("{", '{"__proto__":{"call":1},')))).toThrow(ProtocolViolation);
  }
});

test("fields of a prototype do not count", () => {
  expect(() => parseRunnerEnvelope(bytes('{"type":"loaded","__proto__":{"version":"v"}}'))).toThrow(ProtocolViolation);
  expect(() => parseRunnerEnvelope(bytes('{"type":"constructor"}'))).toThrow(ProtocolViolation);
});

test.each([
  ["[]"],
  ["null"],
  ["1"],
  ['"x"'],
  [""],
  ["{"],
  ["\u00ff"],
  ['{"type":"loaded","version":"v"} x'],
  ['{"type":"hello"}'],
  ["[".repeat(60_000)],
])("%s is no envelope", (source) => {
  expect(() => parseRunnerEnvelope(bytes(source))).toThrow(ProtocolViolation);
});

test("random bytes and random JSON only ever give a violation", () => {
  const attempt = (input: Uint8Array): void => {
    for (const parse of [parseRunnerEnvelope, parseRunnerFailure, parseHttpActionResponse]) {
      try {
        parse(input);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolViolation);
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
  fc.assert(fc.property(fc.json(), (source) => attempt(bytes(source))));
  fc.assert(
    fc.property(fc.constantFrom(...VALID), fc.nat(), fc.integer({ min: 0, max: 255 }), (envelope, at, byte) => {
      const damaged = bytes(envelope);
      damaged[at % damaged.length] = byte;
      attempt(damaged);
    }),
  );
});

test("a body that holds too many values is a violation before it is parsed", () => {
  const routes = (count: number): string =>
    `{"functions":[],"schema":null,"crons":null,"httpRoutes":[${Array(count).fill("{}").join(",")}]}`;
  expect(() => parseAnalyzeResult(routes(limit("jsonValuesMax")))).toThrow(/holds more than 200000 values/);
  expect(() => parseRunnerFailure(bytes(`{"message":"m"${',"a":1'.repeat(limit("jsonValuesMax"))}}`))).toThrow(/holds more than/);
});

test("failures, http responses and analyses", () => {
  const failure = { message: "Error: x", stack: "    at f (a.ts:1:2)", dataText: '"d"' };
  expect(parseRunnerFailure(bytes(failure))).toEqual(failure);
  expect(parseRunnerFailure(bytes({ message: "m" }))).toEqual({ message: "m" });
  expect(() => parseRunnerFailure(bytes({ message: "m", code: 1 }))).toThrow(ProtocolViolation);
  const response = { routed: true, status: 200, headers: [["a", "b"]], bodyBase64: "" };
  expect(parseHttpActionResponse(bytes(response))).toEqual(response);
  expect(() => parseHttpActionResponse(bytes({ ...response, headers: [["a"]] }))).toThrow(ProtocolViolation);
  expect(() => parseHttpActionResponse(bytes({ ...response, status: 99 }))).toThrow(ProtocolViolation);
  const one = { path: "a:b", kind: "query", visibility: "public", args: "{}", returns: "null" } as const;
  const analysis: AnalyzeResult = { functions: [one], schema: null, crons: "{}", httpRoutes: [{ path: "/x", method: "GET" }] };
  expect(parseAnalyzeResult(JSON.stringify(analysis))).toEqual(analysis);
  expect(() => parseAnalyzeResult(JSON.stringify({ ...analysis, functions: [one, one] }))).toThrow(ProtocolViolation);
  expect(() => parseAnalyzeResult(JSON.stringify({ ...analysis, functions: [{ ...one, visibility: "private" }] }))).toThrow(
    ProtocolViolation,
  );
});
