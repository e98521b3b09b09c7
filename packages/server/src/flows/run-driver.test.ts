/** Orders of events that are rare, and that the simulation of flows has found. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NEW_RUN } from "@plinth/core/flow/state.ts";
import { transition } from "@plinth/core/flow/transition.ts";
import type { Scope } from "../database/database.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { OpenRuns, type OpenRunsParts } from "./open-runs.ts";
import { programOf, WrittenRun } from "./retention/test-runs.ts";
import { type RunAsRead, RunDriver, type RunDriverParts } from "./run-driver.ts";

const runtime = createSystemRuntime();
const CALLS = programOf({
  ...{ format: 1, name: "signalled", trigger: { type: "manual" }, start: "call" },
  nodes: { call: { type: "invoke", data: { function: "a:b" } } },
});

let opened: TestDatabase;
let scope: Scope;
beforeEach(async () => {
  opened = await openTestDatabase();
  scope = newScope();
});
afterEach(() => opened.close());

/** A run that nothing is stored of, at its first call. */
function atItsCall(): RunAsRead {
  const { stored } = new WrittenRun(opened.database, scope, { id: "0".repeat(32) });
  const company = { id: "t", name: "t" };
  const run = { id: stored.row.id, flow: "signalled", version: "v1", company, environment: "main" };
  const { state } = transition(CALLS, NEW_RUN, { kind: "started", atMs: 1, run, trigger: { json: null } });
  return { scope, program: CALLS, state, stored };
}

test("a run that looks up what kind of call follows is not quiet: it would be put away, read anew, and make its calls twice", async () => {
  const looking = Promise.withResolvers<"compute">();
  const told: boolean[] = [];
  const parts = {
    ...{ database: opened.database, runtime, turns: { next: () => Promise.resolve() } },
    calls: { classOf: () => looking.promise, perform: () => new Promise(() => undefined) },
    newToken: () => ({ seed: "", token: "" }),
    ...{ onLost: () => undefined, onQuiet: (driver: RunDriver) => told.push(driver.isQuiet) },
  };
  const driver = new RunDriver(atItsCall(), parts as unknown as RunDriverParts);
  const resuming = driver.resume();
  await runtime.sleep(5);
  expect([driver.isQuiet, told]).toEqual([false, []]);
  looking.resolve("compute");
  await resuming;
  expect([driver.isQuiet, told]).toEqual([false, []]);
  await driver.stop();
});

test("whoever asks for a run that begins, before it is stored, is given the one that begins", async () => {
  const runs = new OpenRuns({ runtime } as unknown as OpenRunsParts);
  const read = atItsCall();
  const { id } = read.stored.row;
  const storing = Promise.withResolvers<RunAsRead>();
  const drivers: RunDriver[] = [];
  const seen = async (driver: RunDriver): Promise<void> => void drivers.push(driver);
  const begun = runs.begin(scope, id, storing.promise, seen);
  expect(runs.has(scope, id)).toBe(true);
  const asked = runs.with(scope, id, seen);
  storing.resolve(read);
  await Promise.all([begun, asked]);
  expect(drivers[0]).toBeInstanceOf(RunDriver);
  expect(drivers[1]).toBe(drivers[0]);
});

test("W5 who goes on with an older state writes nothing over what came after it", async () => {
  const first = new WrittenRun(opened.database, scope, { id: "1".repeat(32) });
  await first.begin(1);
  const late = Object.assign(new WrittenRun(opened.database, scope, { id: first.id }), { state: first.state, stored: first.stored });
  await first.signal(2, { json: "on" });
  await expect(late.signal(3, { json: "end" })).rejects.toMatchObject({ code: "OptimisticConcurrencyControlFailure" });
  await first.signal(4, { json: "end" });
  expect(first.state.status.kind).toBe("ended");
});
