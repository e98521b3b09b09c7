/** Histories against other versions of their flow, and runs that are moved to them. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../operations/operation.ts";
import { checkFlow } from "./check-definition.ts";
import type { FlowEvent } from "./events.ts";
import { fold, foldVersions, versionsOf } from "./fold.ts";
import { type MovedEvent, moveRun } from "./move-run.ts";
import type { FlowProgram } from "./program.ts";
import { compareReplay } from "./replay.ts";
import { TestDriver } from "./test-driver.ts";
import { transition } from "./transition.ts";

function program(nodes: JsonObject, variables: JsonObject = {}): FlowProgram {
  const checked = checkFlow({ format: 1, name: "test", trigger: { type: "manual" }, start: "a", nodes, variables }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

const MOVED: MovedEvent = { kind: "moved", atMs: 1_000_005, version: "v2", by: "anna" };

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
    const moved = moveRun({ before: old, after: next }, driver.state, MOVED);
    if (!moved.ok) throw new Error(JSON.stringify(moved.findings));
    const { state } = transition(next, moved.state, { kind: "completed", atMs: 1_000_002, key: "r1/b/2", attempt: 1, output: { json: 1 } });
    expect(state.status).toMatchObject({ kind: "ended", outcome: { kind: "completed", output: { json: "from a and more" } } });
    expect(state.info?.version).toBe("v2");
  });

  it("M2 refuses a version in which the step is gone, or is another", () => {
    const gone = moveRun({ before: old, after: program({ a: call(null) }) }, driver.state, MOVED);
    expect(gone).toMatchObject({
      ok: false,
      findings: [{ node: "b", message: "The run is at the step `b`, which the new version does not have." }],
    });
    const delayed = program({ a: call("b"), b: { type: "delay", data: { for: "1m" } } });
    const other = moveRun({ before: old, after: delayed }, driver.state, MOVED);
    expect(other).toMatchObject({ ok: false, findings: [{ path: "nodes.b" }] });
    const loop = program({ a: { type: "for_each", data: { items: [1], body: "b" } }, b: call(null) });
    expect(moveRun({ before: old, after: loop }, driver.state, MOVED).ok).toBe(false);
  });

  it("a run that failed goes on with another version; one that has completed does not move", () => {
    const failed = fold(old, [
      ...driver.journal,
      { kind: "failed", atMs: 1_000_002, key: "r1/b/2", attempt: 1, error: { code: "x", message: "no.", retryable: false } },
    ]);
    const next = program({
      x: call("a"),
      a: call("b"),
      b: call("c", { id: 7 }),
      c: { type: "return", data: { output: "=steps.a.output" } },
    });
    const moved = moveRun({ before: old, after: next }, failed, MOVED);
    if (!moved.ok) throw new Error(JSON.stringify(moved.findings));
    const retried = transition(next, moved.state, { kind: "retried", atMs: 1_000_010, node: "b", input: null, by: "anna" });
    expect(retried.commands).toContainEqual(expect.objectContaining({ kind: "call", node: "b" }));
    const completed = fold(old, [
      ...driver.journal,
      { kind: "completed", atMs: 1_000_002, key: "r1/b/2", attempt: 1, output: { json: 1 } },
    ]);
    expect(moveRun({ before: old, after: next }, completed, MOVED)).toMatchObject({
      ok: false,
      findings: [{ message: "The run has completed; run the flow again." }],
    });
  });

  it("W2 the journal of a moved run folds with the versions that it names", () => {
    const next = program({ a: call("x"), x: call("b"), b: call(null) });
    const programOf = (version: string) => (version === "v2" ? next : old);
    const journal: FlowEvent[] = [
      ...driver.journal,
      MOVED,
      { kind: "completed", atMs: 1_000_009, key: "r1/b/2", attempt: 1, output: { json: 1 } },
    ];
    expect(versionsOf(journal)).toEqual(["v1", "v2"]);
    const moved = moveRun({ before: old, after: next }, driver.state, MOVED);
    if (!moved.ok) throw new Error(JSON.stringify(moved.findings));
    const state = foldVersions(programOf, journal);
    expect(state).toEqual(fold(next, journal.slice(-1), moved.state));
    expect(state).toMatchObject({ events: 4, status: { kind: "ended", outcome: { output: { json: 1 } } } });
  });
});
