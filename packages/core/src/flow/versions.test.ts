/** Histories against other versions of their flow, and runs that are moved to them. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../operations/operation.ts";
import { checkFlow } from "./check-definition.ts";
import { fold } from "./fold.ts";
import { moveRun } from "./move-run.ts";
import type { FlowProgram } from "./program.ts";
import { compareReplay } from "./replay.ts";
import { TestDriver } from "./test-driver.ts";
import { transition } from "./transition.ts";

function program(nodes: JsonObject, variables: JsonObject = {}): FlowProgram {
  const checked = checkFlow({ format: 1, name: "test", trigger: { type: "manual" }, start: "a", nodes, variables }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

const call = (next: string | null, input: JsonObject = {}): JsonObject => ({
  type: "action",
  data: { operation: "get_thing", input },
  next,
});

describe("replay", () => {
  const old = program({ a: call("b"), b: call(null, { name: "=steps.a.output.name" }) });
  const driver = new TestDriver(old);
  driver.start();
  driver.send({ kind: "completed", atMs: 1_000_001, key: "r1/a/1", attempt: 1, output: { json: { name: "x" } } });
  driver.send({ kind: "completed", atMs: 1_000_002, key: "r1/b/2", attempt: 1, output: { json: {} } });

  it("shows nothing for a version that does the same", () => {
    expect(
      compareReplay(old, program({ a: call("b"), b: call(null, { name: "=steps.a.output.name" }), unused: call(null) }), driver.journal),
    ).toEqual([]);
  });

  it("shows another input at its event", () => {
    const [first] = compareReplay(old, program({ a: call("b"), b: call(null, { name: "=steps.a.output.name + '!'" }) }), driver.journal);
    expect(first).toMatchObject({ event: 1, kind: "step", after: { node: "b", value: { json: { name: "x!" } } } });
  });

  it("shows where a step has gone", () => {
    const differences = compareReplay(old, program({ a: call(null) }), driver.journal);
    expect(differences.map(({ event, kind }) => [event, kind])).toEqual([
      [1, "step"],
      [1, "command"],
      [2, "refused"],
    ]);
  });
});

describe("moving", () => {
  const old = program({ a: call("b"), b: call("c"), c: { type: "return", data: { output: "=steps.a.output" } } });
  const driver = new TestDriver(old);
  driver.start();
  driver.send({ kind: "completed", atMs: 1_000_001, key: "r1/a/1", attempt: 1, output: { json: "from a" } });

  it("M1 keeps what is under way, and results by their nodes", () => {
    const next = program(
      { a: call("x"), x: call("b"), b: call("c"), c: { type: "return", data: { output: "=steps.a.output + vars.more" } } },
      { more: { type: "string", initial: " and more" } },
    );
    const moved = moveRun(old, next, driver.state, "v2");
    if (!moved.ok) throw new Error(JSON.stringify(moved.findings));
    const { state } = transition(next, moved.state, { kind: "completed", atMs: 1_000_002, key: "r1/b/2", attempt: 1, output: { json: 1 } });
    expect(state.status).toMatchObject({ kind: "ended", outcome: { kind: "completed", output: { json: "from a and more" } } });
    expect(state.info?.version).toBe("v2");
  });

  it("M2 refuses a version in which the step is gone, or is another", () => {
    const gone = moveRun(old, program({ a: call(null) }), driver.state, "v2");
    expect(gone).toMatchObject({
      ok: false,
      findings: [{ node: "b", message: "The run is at the step `b`, which the new version does not have." }],
    });
    const other = moveRun(old, program({ a: call("b"), b: { type: "delay", data: { for: "1m" } } }), driver.state, "v2");
    expect(other).toMatchObject({ ok: false, findings: [{ path: "nodes.b" }] });
    const loop = program({ a: { type: "for_each", data: { items: [1], body: "b" } }, b: call(null) });
    expect(moveRun(old, loop, driver.state, "v2").ok).toBe(false);
  });

  it("does not move a run that has ended", () => {
    const ended = fold(old, [...driver.journal, { kind: "cancelled", atMs: 1_000_009, by: "anna", reason: "" }]);
    expect(moveRun(old, old, ended, "v2").ok).toBe(false);
  });
});
