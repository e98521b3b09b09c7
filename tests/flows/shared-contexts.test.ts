/** Mutations of one run may share a context: what their modules remember, and what they never share. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;
beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "functions", "convex"));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
});

interface Seen {
  readonly calls: number;
  readonly child?: number;
  readonly key?: string;
  readonly before?: number;
}

/** Publishes a flow of three calls; a run gives what each of them saw. */
async function publish(name: string, path: string, input: Readonly<Record<string, unknown>>): Promise<() => Promise<readonly Seen[]>> {
  const call = (next: string) => ({ type: "invoke", data: { function: path, input }, next });
  const give = { type: "return", data: { output: "=[steps.a.output, steps.b.output, steps.c.output]" } };
  const definition = {
    format: 1,
    name,
    trigger: { type: "api" },
    start: "a",
    nodes: { a: call("b"), b: call("c"), c: call("give"), give },
  };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
  return async () => {
    const run = (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { waitMs: 60_000 } }))).json;
    expect(run).toMatchObject({ status: "completed" });
    return run["output"] as readonly Seen[];
  };
}

test(
  "steps of one run find what an earlier one left in a module; other runs, nested calls and calls of others do not",
  { timeout: 60_000 },
  async () => {
    const run = await publish("remember", "memory:count", {});
    let shared = false;
    const keys = new Set<string>();
    for (let runs = 1; runs <= 20 && (runs < 4 || !shared); runs++) {
      const seen = await run();
      const calls = seen.map((each) => each.calls);
      expect(calls[0]).toBe(1);
      for (const [index, count] of calls.entries()) expect(count).toBeLessThanOrEqual(index + 1);
      shared ||= calls.join() === "1,2,3";
      expect(seen.map(({ child }) => child)).toEqual([1, 1, 1]);
      for (const { key } of seen) keys.add(String(key));
      expect(keys.size).toBe(3 * runs);
      expect(await host.run("memory:count", {})).toMatchObject({ calls: 1, child: 1, key: null });
    }
    expect(shared).toBe(true);
  },
);

test("a mutation that conflicts runs again in a fresh context, and counts once", { timeout: 60_000 }, async () => {
  const run = await publish("conflicts", "memory:bump", { text: "of all runs" });
  const all = await Promise.all(Array.from({ length: 4 }, run));
  // What a lost attempt left in its module would count here.
  for (const seen of all) for (const [index, { calls }] of seen.entries()) expect(calls).toBeLessThanOrEqual(index + 1);
  const before = all.flat().map((seen) => seen.before);
  expect(before.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 12 }, (_, i) => i));
});
