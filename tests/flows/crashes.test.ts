/**
 * Kills a real host with SIGKILL at random moments while flows begin, call, sleep, wait and end, and starts it again: no run is lost or
 * stuck, no mutation is applied twice, and what reaches other systems more than once has the same key (W1, W3).
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, succeed, type EventHost } from "../events/event-host.ts";
import { chooseSeed, Random, rounds } from "../simulation/random.ts";
import { type Receiver, receive } from "./receiver.ts";

const ROUNDS = rounds({ ci: 3, long: 50 });
const CLIENTS = 6;
const STEPS = ["first", "item 0", "item 1", "item 2", "last"];
const END_MS_MAX = 300_000;

let receiver: Receiver;
let host: EventHost;

beforeAll(async () => {
  receiver = await receive();
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${receiver.port}`, "--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "crash-functions", "convex"));
  const bump = (step: string, more: object) => ({
    type: "invoke",
    data: { function: "counters:bump", input: { round: "=trigger.round", run: "=trigger.run", step } },
    ...more,
  });
  const tell = (step: string, more: object) => ({
    type: "webhook",
    data: { url: `http://127.0.0.1:${receiver.port}/`, body: { run: "=trigger.run", step } },
    timeoutMs: 10_000,
    // Connections break when the host is killed, and now and then otherwise.
    retry: { attempts: 20, delayMs: 200, delayMsMax: 500 },
    ...more,
  });
  const nodes = {
    first: bump("first", { next: "tellFirst" }),
    tellFirst: tell("first", { next: "nap" }),
    nap: { type: "delay", data: { for: "=trigger.napMs" }, next: "items" },
    items: { type: "for_each", data: { items: [0, 1, 2], body: "bumpItem", concurrency: 2 }, next: "hold" },
    bumpItem: bump('="item " + string(item)', { next: "tellItem" }),
    tellItem: tell('="item " + string(item)', {}),
    hold: { type: "wait", data: { for: "signal", signal: "go", deadline: "=trigger.holdMs", onDeadline: "last" }, next: "last" },
    last: bump("last", { next: "give" }),
    give: { type: "return", data: { output: "=steps.hold.output" } },
  };
  const definition = { format: 1, name: "load", trigger: { type: "api" }, start: "first", nodes };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await receiver.close();
});

interface Started {
  readonly id: string;
  readonly run: string;
  /** What its signal brings, once that was taken; null of a run that gets none. */
  readonly signal: string | null;
}

/** Starts runs until the host is gone. */
async function startRuns(random: Random, round: number, client: number, started: Started[]): Promise<number> {
  for (let n = 0; ; n += 1) {
    const run = `${round}.${client}.${n}`;
    const isSignalled = n % 3 === 0;
    const input = { round, run, napMs: random.integer(0, 800), holdMs: isSignalled ? 3_600_000 : random.integer(1, 1500) };
    try {
      const { json } = await succeed(host.send("/v1/flows/load/runs", { body: { input } }));
      started.push({ id: String(json["id"]), run, signal: isSignalled ? `signal of ${run}` : null });
    } catch {
      return n + 1;
    }
  }
}

/** Signals what waits for one, again and again until the host says that it is stored. */
async function signalAll(started: readonly Started[], done: Set<string>): Promise<void> {
  for (const { id, signal } of started) {
    if (signal === null || done.has(id)) continue;
    const answer = await host.send(`/v1/flow-runs/${id}/signal`, { body: { name: "go", payload: signal } }).catch(() => null);
    if (answer === null) return;
    // A run whose signal was stored, and was not acknowledged, may have ended.
    expect([200, 409]).toContain(answer.status);
    done.add(id);
  }
}

async function allRuns(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const all: Record<string, unknown>[] = [];
  for (let after = ""; ;) {
    const { json } = await succeed(host.send(`/v1/flow-runs?flow=load&limit=100${after === "" ? "" : `&after=${after}`}`));
    const runs = json["runs"] as Record<string, unknown>[];
    all.push(...runs);
    if (runs.length < 100) return all;
    after = String(runs.at(-1)?.["id"]);
  }
}

async function openRuns(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await allRuns()).filter(({ endedMs }) => endedMs === null);
}

test(
  `W1 W3 ${ROUNDS} kills under load lose no run, leave none stuck, and apply no mutation twice`,
  async () => {
    const seed = chooseSeed();
    console.log(`seed ${seed}`);
    const random = new Random(seed);
    const started: Started[] = [];
    const signalled = new Set<string>();
    let tried = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = started.length;
      const clients = Array.from({ length: CLIENTS }, (_, client) => startRuns(random, round, client, started));
      const signalling = signalAll(started, signalled);
      // However slow the machine is, some runs are under way when the host is killed.
      while (started.length < before + random.integer(1, 40)) await new Promise((resolve) => setTimeout(resolve, random.integer(1, 60)));
      const crashing = host.local.crash();
      for (const count of await Promise.all(clients)) tried += count;
      await signalling;
      host = eventHost(await crashing);
    }
    await signalAll(started, signalled);
    const endMs = performance.now() + END_MS_MAX;
    for (let open = await openRuns(); open.length > 0; open = await openRuns()) {
      // Runs that were begun and not acknowledged are waited for too; those of them that hold for a signal get it here.
      for (const { id, reason } of open)
        if ((reason as { readonly code?: string } | null)?.code === "awaiting_signal")
          await host.send(`/v1/flow-runs/${String(id)}/signal`, { body: { name: "go", payload: "late" } });
      if (performance.now() > endMs) throw new Error(`runs are stuck: ${JSON.stringify(open.slice(0, 5))}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }

    const runs = await allRuns();
    const known = new Map(runs.map((run) => [String(run["id"]), run]));
    expect(
      started.filter(({ id }) => !known.has(id)).map(({ run }) => run),
      "runs that were acknowledged and lost",
    ).toEqual([]);
    expect(runs.filter(({ status }) => status !== "completed")).toEqual([]);

    const counted = new Map<string, Map<string, number>>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const rows = (await host.run("counters:ofRound", { round })) as readonly { run: string; step: string; count: number }[];
      for (const { run, step, count } of rows) counted.set(run, (counted.get(run) ?? new Map<string, number>()).set(step, count));
    }
    // One run for each that was begun, acknowledged or not, and each of its steps once.
    expect(counted.size).toBe(runs.length);
    const once = Object.fromEntries(STEPS.map((step) => [step, 1]));
    for (const [run, steps] of counted) expect(Object.fromEntries(steps), `steps of ${run}`).toEqual(once);

    for (const [what, keys] of receiver.keys) expect(keys.size, `keys of ${what}`).toBe(1);
    expect(new Set([...receiver.keys.values()].flatMap((keys) => [...keys])).size, "no two effects share a key").toBe(receiver.keys.size);
    expect(receiver.keys.size, "every effect has reached the receiver").toBe(runs.length * 4);
    await checkSignals(started, signalled);
    console.log(
      `${ROUNDS} kills: ${tried} starts tried, ${started.length} acknowledged, ${runs.length} runs, ${runs.length * STEPS.length} mutations, ` +
        `${receiver.keys.size} effects in ${receiver.received} requests, ${signalled.size} signals`,
    );
  },
  60_000 + ROUNDS * 20_000 + END_MS_MAX,
);

/** Some of them, since each takes a request. */
async function checkSignals(started: readonly Started[], signalled: ReadonlySet<string>): Promise<void> {
  for (const { id, signal } of started.filter((run) => signalled.has(run.id)).slice(0, 200)) {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    expect(json["output"], `a signal that was acknowledged is taken, of ${id}`).toBe(signal);
  }
}
