/**
 * Runs as released versions wrote them (`histories/`) fold to the same states, and the same follows from each of their events. With
 * `PLINTH_RECORD=1` scenarios that have no history yet are recorded.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NODE_TYPES } from "../../packages/core/src/flow/nodes/table.ts";
import { NEW_RUN, type RunState } from "../../packages/core/src/flow/state.ts";
import release from "../../package.json" with { type: "json" };
import { finalOf, follow, followsOf, type History, programsOf, startOf } from "./histories/history.ts";
import { record } from "./histories/record.ts";
import { SCENARIOS } from "./histories/scenarios.ts";

const FOLDER = join(import.meta.dirname, "histories");

if (process.env["PLINTH_RECORD"] === "1") {
  for (const scenario of SCENARIOS) {
    const path = join(FOLDER, `${scenario.name}.json`);
    if (!existsSync(path)) writeFileSync(path, `${JSON.stringify(record(scenario, release.version), null, 1)}\n`);
  }
}

const HISTORIES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name: name.replace(".json", ""), history: JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as History }));

/** From a state on, which is that of the first `events` events. */
function replay(history: History, from: RunState, events: number): RunState {
  const programOf = programsOf(history.definitions);
  let state = from;
  for (const [index, { event, follows }] of history.journal.entries()) {
    if (index < events) continue;
    const step = follow(programOf, state, event);
    expect(followsOf(step), `what follows from event ${index}, ${event.kind}`).toBe(follows);
    ({ state } = step);
  }
  return state;
}

describe("W2 runs of released versions", () => {
  for (const { name, history } of HISTORIES) {
    it(`${name}: each event has the same consequences`, () => {
      expect(finalOf(replay(history, NEW_RUN, 0))).toEqual(history.final);
    });

    it(`${name}: its snapshot goes on`, () => {
      expect(finalOf(replay(history, startOf(history), history.snapshot.events))).toEqual(history.final);
    });
  }
});

it("every type of node, event and wait has a history: add a scenario to histories/scenarios.ts and record it", () => {
  const texts = HISTORIES.map(({ history }) => JSON.stringify(history)).join("\n");
  const types = new Set(NODE_TYPES.map(({ type }) => type));
  const unseen = [...types].filter((type) => !texts.includes(`"type":"${type}"`));
  expect(unseen).toEqual([]);
  const kinds = new Set(HISTORIES.flatMap(({ history }) => history.journal.map(({ event }) => event.kind)));
  // The compiler says when one is missing here.
  const all = {
    ...{ started: 0, completed: 0, failed: 0, deferred: 0, timerFired: 0, signalled: 0, continued: 0, paused: 0, resumed: 0 },
    ...{ cancelled: 0, retried: 0, moved: 0 },
  } satisfies Record<History["journal"][number]["event"]["kind"], number>;
  expect(Object.keys(all).filter((kind) => !kinds.has(kind as keyof typeof all))).toEqual([]);
  const missing = SCENARIOS.filter((scenario) => !HISTORIES.some(({ name }) => name === scenario.name)).map(({ name }) => name);
  expect(missing, "scenarios that are not recorded: PLINTH_RECORD=1 npx vitest run tests/flows/histories.test.ts").toEqual([]);
});
