/** The versions of one runner: loaded at first use, a few kept, the least recently used unloaded. */
import { limit } from "@plinth/core/limits.ts";
import { must } from "@plinth/core/assert.ts";
import { ProtocolViolation } from "@plinth/core/protocol/frames.ts";
import type { HostEnvelope, RunnerFailure } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallEnd } from "./open-call.ts";
import type { VersionCode } from "./sandbox.ts";

interface Options {
  readonly runtime: Runtime;
  readonly send: (envelope: HostEnvelope, body?: Uint8Array) => void;
  readonly versionsMax: number;
  /** Whether an open call uses the version. */
  readonly isUsed: (digest: string) => boolean;
  readonly onStuck: () => void;
}

interface Entry {
  readonly code: VersionCode;
  state: "loading" | "loaded";
  sourceMap: { readonly state: "none" } | { readonly state: "asked" } | { readonly state: "given"; readonly atMs: number };
  readonly done: Promise<CallEnd | undefined>;
  readonly settle: (failure: CallEnd | undefined) => void;
  timer?: { cancel(): void };
}

/** Maps are large; a runner that asks for the same one over and over gets none. */
const SOURCE_MAP_INTERVAL_MS = 200;
const encoder = new TextEncoder();

export class LoadedVersions {
  readonly #options: Options;
  /** In the order of last use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  #abandoned = false;

  constructor(options: Options) {
    this.#options = options;
  }

  has(digest: string): boolean {
    return this.#entries.get(digest)?.state === "loaded";
  }

  /** Resolves when the version is loaded, or with what the call that wanted it gets instead. */
  async ensure(code: VersionCode): Promise<CallEnd | undefined> {
    const known = this.#entries.get(code.digest);
    if (known !== undefined) {
      this.used(code.digest);
      return known.done;
    }
    const entry = this.#add(code);
    try {
      const script = encoder.encode(await code.script());
      if (this.#abandoned) return await entry.done;
      const maxMs = limit("analyzeWallMsMax");
      entry.timer = this.#options.runtime.timer(maxMs, () => {
        entry.settle({ kind: "timeout", maxMs });
        this.#options.onStuck();
      });
      this.#options.send({ type: "load", version: code.digest }, script);
    } catch (error) {
      this.#entries.delete(code.digest);
      entry.settle({ kind: "lost", reason: "the code of the version could not be read" });
      throw error;
    }
    return entry.done;
  }

  used(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
  }

  loaded(digest: string): void {
    const entry = this.#loading(digest);
    entry.state = "loaded";
    entry.timer?.cancel();
    entry.settle(undefined);
  }

  failed(digest: string, failure: RunnerFailure): void {
    const entry = this.#loading(digest);
    entry.timer?.cancel();
    this.#entries.delete(digest);
    entry.settle({ kind: "error", ...failure });
  }

  /** A runner keeps few parsed maps, so it may ask again, but it waits for an answer before it does. */
  giveSourceMap(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined || entry.state !== "loaded")
      throw new ProtocolViolation("a source map is asked for whose version is not loaded");
    if (entry.sourceMap.state === "asked") throw new ProtocolViolation("a source map is asked for twice");
    const nowMs = this.#options.runtime.monotonicMs();
    const tooSoon = entry.sourceMap.state === "given" && nowMs - entry.sourceMap.atMs < SOURCE_MAP_INTERVAL_MS;
    entry.sourceMap = { state: "asked" };
    const send = (map: string | null): void => {
      entry.sourceMap = { state: "given", atMs: this.#options.runtime.monotonicMs() };
      this.#sendSourceMap(digest, map ?? "");
    };
    if (tooSoon) send(null);
    else entry.code.sourceMap().then(send, () => send(null));
  }

  /** The runner is gone; `end` is for who waits for a version. */
  abandon(end: CallEnd): void {
    this.#abandoned = true;
    for (const entry of this.#entries.values()) {
      entry.timer?.cancel();
      entry.settle(end);
    }
    this.#entries.clear();
  }

  #sendSourceMap(digest: string, map: string): void {
    const bytes = encoder.encode(map);
    this.#options.send({ type: "sourceMap", version: digest }, bytes.length > limit("sourceMapBytesMax") ? new Uint8Array(0) : bytes);
  }

  #loading(digest: string): Entry {
    const entry = this.#entries.get(digest);
    if (entry === undefined || entry.state !== "loading") throw new ProtocolViolation("a version is answered that is not being loaded");
    return entry;
  }

  #add(code: VersionCode): Entry {
    this.#makeRoom();
    let settle: Entry["settle"] | undefined;
    const done = new Promise<CallEnd | undefined>((resolve) => {
      settle = resolve;
    });
    const entry: Entry = {
      code,
      state: "loading",
      sourceMap: { state: "none" },
      done,
      settle: must(settle, "a promise runs its executor at once"),
    };
    this.#entries.set(code.digest, entry);
    return entry;
  }

  #makeRoom(): void {
    for (const [digest, entry] of this.#entries) {
      if (this.#entries.size < this.#options.versionsMax) return;
      if (entry.state === "loading" || this.#options.isUsed(digest)) continue;
      this.#entries.delete(digest);
      this.#options.send({ type: "unload", version: digest });
    }
  }
}
