/** What a host does before it dies: which of it must hold in the next life, and which was never known to anybody. */
import { expect, test } from "vitest";
import { outstanding } from "../../../packages/core/src/flow/commands.ts";
import type { FlowEvent } from "../../../packages/core/src/flow/events.ts";
import { fold } from "../../../packages/core/src/flow/fold.ts";
import type { JsonObject } from "../../../packages/core/src/operations/operation.ts";
import { programsOf } from "../../flows/histories/history.ts";
import { checkKeys, type RunToCheck, textOf } from "./call-keys.ts";
import { CallsUnderWay } from "./calls-under-way.ts";

const node = (type: string, data: JsonObject, next?: string): JsonObject => ({ type, data, ...(next === undefined ? {} : { next }) });

const FLOW = {
  format: 1,
  name: "keys",
  trigger: { type: "api" },
  start: "read",
  nodes: {
    read: node("invoke", { function: "sim:query", input: {} }, "compute"),
    compute: node("script", { code: "return input.n;", input: { n: "=steps.read.output" } }, "send"),
    send: node("webhook", { url: "https://example.com/", body: { n: "=steps.compute.output" } }),
  },
};
const programOf = programsOf({ v: FLOW });
const INFO = { id: "r", flow: "keys", version: "v", company: { id: "t", name: "t" }, environment: "main" };

interface Made {
  readonly events: readonly FlowEvent[];
  readonly seen: RunToCheck["seen"];
}

/** A run from its beginning to the end of so many calls, which all give `answer`. */
function driven(calls: number, answer: number): Made {
  const events: FlowEvent[] = [{ kind: "started", atMs: 1, run: INFO, trigger: { json: {} } }];
  const seen: RunToCheck["seen"][number][] = [];
  for (let i = 0; i < calls; i += 1) {
    const command = outstanding(fold(programOf("v"), events)).find(({ kind }) => kind === "call");
    if (command?.kind !== "call") throw new Error("the run has ended");
    const { key, attempt } = command;
    seen.push({ key, callClass: command.node === "send" ? "outside" : "compute", text: textOf(command) });
    events.push({ kind: "completed", atMs: i + 2, key, attempt, output: { json: answer } });
  }
  return { events, seen };
}

test("C3 what only computed and was lost may come with another call of the same key, and what was stored may not", () => {
  const lost = driven(2, 1);
  const stored = driven(3, 2);
  const [, compute] = lost.seen;
  const [, again] = stored.seen;
  expect(again?.key).toBe(compute?.key);
  expect(again?.text).not.toBe(compute?.text);
  const check = (seen: RunToCheck["seen"]) => () => checkKeys({ programOf, events: stored.events, seen });
  expect(check([...lost.seen, ...stored.seen])).not.toThrow();

  // The first life has sent what the second one does not know.
  const sent = driven(3, 1).seen;
  expect(check([...sent, ...stored.seen])).toThrow("C3 the outside has another call of the key: r/send/");
  // What is stored is the end of a call that was made otherwise.
  expect(check([...lost.seen, ...stored.seen.filter((call) => call !== again)])).toThrow("C3 a call has ended that nobody has made");
});

test("S1 what a host that is gone still does counts for nothing in the next life", () => {
  const underWay = new CallsUnderWay();
  const before = { number: 1, isOver: false };
  underWay.change(before, "r/send/3", 1);
  before.isOver = true;
  underWay.clear();
  underWay.change(before, "r/send/3", -1);
  underWay.change({ number: 2, isOver: false }, "r/send/3", 1);
  underWay.change(before, "r/read/1", 1);
  expect([...underWay.counts]).toEqual([["r/send/3", 1]]);
});
