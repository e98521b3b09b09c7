/** A host that stops right after its start does not wait for what the runs that it resumes still have to do. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { ScriptHost } from "./scripts/test-script-host.ts";

let host: ScriptHost;
beforeEach(async () => {
  host = await ScriptHost.open();
});
afterEach(() => host.close());

test("runs that are resumed and compute are stopped, not waited for", { timeout: 30_000 }, async () => {
  const iterationsMax = limit("flowIterationsMax");
  const list = JSON.stringify(Array.from({ length: 80 }, () => 1));
  // Work of a minute, a few milliseconds at a time.
  const when = `${list}.all(x, ${list}.all(y, x == y))`;
  await host.publish({ type: "while", data: { when, iterationsMax }, retry: undefined });
  const id = await host.start();
  await host.restart();
  const resuming = host.flows.resumeAll();
  // Most likely it computes then; nothing of that is in the store before it calls somebody.
  await createSystemRuntime().sleep(300);
  await host.restart();
  await resuming;
  expect(await host.run(id)).toMatchObject({ status: "running", endedMs: null });
});
