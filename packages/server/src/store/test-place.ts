import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Batch, Entry, Key, Store, Timestamp, Write } from "./store.ts";

/** How a test opens the store that lies at `place`: a folder of its own that is empty at first. */
export type OpenStore = (options: { place: string; runtime: Runtime; historyRetentionMs?: number }) => Promise<Store>;

/** A place for one store, with a clock that the test can set. */
export class TestPlace {
  readonly path = mkdtempSync(join(tmpdir(), "plinth-store-"));
  readonly runtime: Runtime;
  clockOffsetMs = 0;
  readonly #open: OpenStore;
  readonly #opened: Store[] = [];

  constructor(open: OpenStore) {
    this.#open = open;
    const system = createSystemRuntime();
    this.runtime = { ...system, nowMs: () => system.nowMs() + this.clockOffsetMs };
  }

  async open(options: { historyRetentionMs?: number } = {}): Promise<Store> {
    const store = await this.#open({ place: this.path, runtime: this.runtime, ...options });
    this.#opened.push(store);
    return store;
  }

  async remove(): Promise<void> {
    for (const store of this.#opened) await store.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** `put("a", "1")` writes, `put("a", null)` deletes. */
export function put(key: string, value: string | null): Write {
  return { key: bytes(key), value: value === null ? null : bytes(value) };
}

/** Commits what must not conflict. */
export async function write(store: Store, ...writes: Write[]): Promise<Timestamp> {
  return committed(store, { writes });
}

export async function committed(store: Store, batch: Batch): Promise<Timestamp> {
  const result = await store.commit(batch);
  if (result.kind === "conflict") throw new Error(`unexpected conflict on ${text(result.key)}`);
  return result.ts;
}

/** The whole state at a moment as `key=value` texts. */
export async function stateAt(store: Store, at?: Timestamp): Promise<string[]> {
  const snapshot = await store.snapshot(at);
  try {
    return pairs(await snapshot.range({ start: new Uint8Array(0), end: LAST_KEY, order: "asc", limit: 1_000_000 }));
  } finally {
    snapshot.release();
  }
}

export function pairs(entries: readonly Entry[]): string[] {
  return entries.map(({ key, value }) => `${text(key)}=${text(value)}`);
}

/** Greater than every key of a test. */
export const LAST_KEY: Key = new Uint8Array([0xff, 0xff, 0xff, 0xff]);

/** The range that holds exactly one key. */
export function point(key: string): { start: Key; end: Key } {
  return { start: bytes(key), end: bytes(`${key}\0`) };
}
