/** Makes log lines of what the package writes to `console`, standard output and standard error. */
import { syncBuiltinESMExports } from "node:module";
import { Writable } from "node:stream";
import type { LogLevel } from "@plinth/core/protocol/runner-protocol.ts";

export type LineSink = (level: LogLevel, text: string) => void;

const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  log: "log",
  info: "info",
  warn: "warn",
  error: "error",
  trace: "error",
};
/** Of a line that does not end; the rest is dropped. Longer than any limit of a line. */
const PARTIAL_CHARS_MAX = 64 * 1024;

/** The level of the console method that writes at the moment. */
let current: LogLevel | undefined;

class LineStream extends Writable {
  readonly fd: number;
  readonly isTTY = false;
  readonly #level: LogLevel;
  readonly #sink: LineSink;
  #partial = "";

  constructor(fd: number, level: LogLevel, sink: LineSink) {
    super({ decodeStrings: false });
    this.fd = fd;
    this.#level = level;
    this.#sink = sink;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString();
    if (current !== undefined) this.#sink(current, text.endsWith("\n") ? text.slice(0, -1) : text);
    else this.#lines(text);
    done();
  }

  /** Ending it would end the output of every later call too. */
  override end(): this {
    return this;
  }

  override destroy(): this {
    return this;
  }

  #lines(text: string): void {
    let from = 0;
    for (;;) {
      const at = text.indexOf("\n", from);
      if (at < 0) break;
      const line = this.#partial + text.slice(from, at);
      this.#partial = "";
      this.#sink(this.#level, line);
      from = at + 1;
    }
    if (this.#partial.length < PARTIAL_CHARS_MAX) this.#partial += text.slice(from, from + PARTIAL_CHARS_MAX - this.#partial.length);
  }

  /** Passes on what has no end of line yet. */
  flushPartial(): void {
    if (this.#partial === "") return;
    const line = this.#partial;
    this.#partial = "";
    this.#sink(this.#level, line);
  }
}

/** Installs the capture before anything was written. The result passes on unfinished lines, at the end of a call. */
export function captureConsole(sink: LineSink): () => void {
  const stdout = new LineStream(1, "log", sink);
  const stderr = new LineStream(2, "error", sink);
  Object.defineProperty(process, "stdout", { value: stdout, configurable: true, enumerable: true, writable: true });
  Object.defineProperty(process, "stderr", { value: stderr, configurable: true, enumerable: true, writable: true });
  const methods = console as unknown as Record<string, (...args: readonly unknown[]) => void>;
  for (const [name, level] of Object.entries(LEVELS)) {
    const original = methods[name];
    if (original === undefined) continue;
    methods[name] = (...args) => {
      const before = current;
      current = level;
      try {
        Reflect.apply(original, console, args);
      } finally {
        current = before;
      }
    };
  }
  syncBuiltinESMExports();
  return () => {
    stdout.flushPartial();
    stderr.flushPartial();
  };
}
