import { describe, expect, test } from "vitest";
import { findAnomaly, type Transaction } from "./list-append-checker.ts";

const append = (key: string, value: number) => ({ kind: "append", key, value }) as const;
const read = (key: string) => ({ kind: "read", key }) as const;
let clock = 0;

/** Transactions that overlap all others, so that only data orders them. */
function concurrent(operations: Transaction["operations"], reads: Transaction["reads"] = []): Transaction {
  return { operations, reads, startedMs: 0, endedMs: 1000 };
}

function inOrder(operations: Transaction["operations"], reads: Transaction["reads"] = []): Transaction {
  clock += 10;
  return { operations, reads, startedMs: clock, endedMs: clock + 5 };
}

describe("the checker accepts", () => {
  test("a serial history", () => {
    expect(
      findAnomaly([
        inOrder([append("x", 1)]),
        inOrder([read("x"), append("x", 2)], [{ key: "x", values: [1] }]),
        inOrder([read("x")], [{ key: "x", values: [1, 2] }]),
      ]),
    ).toBeNull();
  });

  test("an unknown outcome that did not happen", () => {
    const unknown: Transaction = { operations: [append("x", 1)], startedMs: 0, endedMs: 1 };
    expect(findAnomaly([unknown, inOrder([read("x")], [{ key: "x", values: [] }])])).toBeNull();
  });
});

describe("the checker finds", () => {
  test("write skew (G2)", () => {
    const a = concurrent([read("x"), append("y", 1)], [{ key: "x", values: [] }]);
    const b = concurrent([read("y"), append("x", 2)], [{ key: "y", values: [] }]);
    expect(
      findAnomaly([
        a,
        b,
        concurrent(
          [read("x"), read("y")],
          [
            { key: "x", values: [2] },
            { key: "y", values: [1] },
          ],
        ),
      ]),
    ).toMatch(/cycle/);
  });

  test("write skew that no later read shows", () => {
    const a = concurrent([read("x"), append("y", 1)], [{ key: "x", values: [] }]);
    const b = concurrent([read("y"), append("x", 2)], [{ key: "y", values: [] }]);
    expect(findAnomaly([a, b])).toMatch(/cycle/);
  });

  test("read skew (G-single)", () => {
    const writer = concurrent([append("x", 1), append("y", 1)]);
    expect(
      findAnomaly([
        writer,
        concurrent(
          [read("x"), read("y")],
          [
            { key: "x", values: [] },
            { key: "y", values: [1] },
          ],
        ),
      ]),
    ).toMatch(/cycle/);
  });

  test("a lost update", () => {
    const a = concurrent([read("x"), append("x", 1)], [{ key: "x", values: [] }]);
    const b = concurrent([read("x"), append("x", 2)], [{ key: "x", values: [] }]);
    expect(findAnomaly([a, b, concurrent([read("x")], [{ key: "x", values: [2] }])])).not.toBeNull();
  });

  test("circular information flow (G1c)", () => {
    const a = concurrent([append("x", 1), read("y")], [{ key: "y", values: [2] }]);
    const b = concurrent([append("y", 2), read("x")], [{ key: "x", values: [1] }]);
    expect(findAnomaly([a, b])).toMatch(/cycle/);
  });

  test("a stale read after an acknowledged write", () => {
    expect(findAnomaly([inOrder([append("x", 1)]), inOrder([read("x")], [{ key: "x", values: [] }])])).toMatch(/cycle/);
  });

  test("reads that disagree, a doubled element, an element from nowhere", () => {
    const writers = [concurrent([append("x", 1)]), concurrent([append("x", 2)])];
    expect(
      findAnomaly([
        ...writers,
        concurrent([read("x")], [{ key: "x", values: [1, 2] }]),
        concurrent([read("x")], [{ key: "x", values: [2, 1] }]),
      ]),
    ).toMatch(/disagree/);
    expect(findAnomaly([...writers, concurrent([read("x")], [{ key: "x", values: [1, 1] }])])).toMatch(/twice/);
    expect(findAnomaly([...writers, concurrent([read("x")], [{ key: "x", values: [7] }])])).toMatch(/nobody/);
  });
});
