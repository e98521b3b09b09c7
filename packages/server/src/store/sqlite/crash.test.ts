import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { stateAt, TestPlace, write, put } from "../test-place.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";

const ROUNDS = 4;

let place: TestPlace;
let child: ChildProcess | undefined;

beforeEach(() => {
  place = new TestPlace(({ place, runtime }) => openSqliteStore({ dataDir: place, runtime }));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await place.remove();
});

/** Starts another process on the store; `lines` fills with what it says. */
async function start(mode: "write" | "hold"): Promise<{ child: ChildProcess; lines: string[]; exited: Promise<unknown> }> {
  const script = fileURLToPath(new URL("./store-process.ts", import.meta.url));
  const process_ = spawn(process.execPath, [script, place.path, mode], { stdio: ["ignore", "pipe", "inherit"] });
  child = process_;
  const lines: string[] = [];
  const reader = createInterface({ input: process_.stdout });
  reader.on("line", (line) => lines.push(line));
  const exited = Promise.all([once(process_, "exit"), once(reader, "close")]);
  await once(reader, "line");
  return { child: process_, lines, exited };
}

test("S2 W1 whatever was acknowledged before kill -9 is there, whole and in order", async () => {
  const acknowledged = new Map<string, string>();
  let lastTs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { child, lines, exited } = await start("write");
    const enough = 2 + Math.floor(Math.random() * 400);
    while (lines.length < enough) await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    child.kill("SIGKILL");
    await exited;

    const store = await place.open();
    const state = new Map((await stateAt(store)).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
    for (const line of lines.slice(1)) {
      const [client, i, ts] = line.split(" ");
      acknowledged.set(`each/${client}/${i}`, `${i}`);
      expect(Number(ts)).toBeGreaterThan(lastTs);
      expect(Number(ts)).toBeLessThanOrEqual(store.latest());
    }
    for (const [key, value] of acknowledged) expect(state.get(key)).toBe(value);
    for (let client = 0; client < 8; client++) expect(state.get(`mirror/${client}`)).toBe(state.get(`client/${client}`));
    const log = await store.log(lastTs, 1_000_000);
    expect(log.every(({ writes }) => writes.length === 3)).toBe(true);
    lastTs = store.latest();
    expect(await write(store, put("after", "x"))).toBeGreaterThan(lastTs);
    lastTs = store.latest();
    await store.close();
  }
});

test("S6 F1 another process is refused at once, told the pid, and gets the folder after kill -9", async () => {
  const { child, exited } = await start("hold");
  const started = performance.now();
  await expect(place.open()).rejects.toMatchObject({
    code: "DataFolderLocked",
    message: expect.stringContaining(`(process ${child.pid})`),
  });
  expect(performance.now() - started).toBeLessThan(5000);
  child.kill("SIGKILL");
  await exited;
  const store = await openSqliteStore({ dataDir: place.path, runtime: createSystemRuntime() });
  await write(store, put("a", "1"));
  const second = await start("hold");
  expect(second.lines).toEqual([expect.stringContaining(`(process ${process.pid})`)]);
  await second.exited;
  await store.close();
});
