/** All that belongs to one call. A new one is made for each; nothing outlives it. */
import { RandomStream } from "./chacha20.ts";
import { GuestMemory } from "./guest-memory.ts";
import { Input, Lines, Output } from "./streams.ts";
import type { CallReport, CallSettings, PostLine } from "./wire.ts";

/** Thrown through the module to end it. It could catch it, so `end` says what holds. */
export const END = new Error("the module was ended");

export const STANDARD_INPUT = 0;
export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;

export class CallState {
  readonly settings: CallSettings;
  readonly input: Input;
  readonly output: Output;
  readonly lines: Lines;
  readonly args: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly open = new Set([STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR]);
  end: CallReport["end"] | undefined;
  observedTime = false;
  observedRandom = false;
  readonly #startMs = Date.now();
  #elapsedMs = 0;
  #memory: GuestMemory | undefined;
  #random: RandomStream | undefined;

  constructor(settings: CallSettings, options: { readonly stdin: ArrayBuffer; readonly post: PostLine }) {
    this.settings = settings;
    this.input = new Input(options.stdin);
    this.output = new Output(settings.resultBytes);
    this.lines = new Lines({
      bytesMax: settings.logLineBytes,
      linesMax: settings.logLines,
      post: (line, truncated) => options.post(settings.call, line, truncated),
    });
    this.args = [zeroEnded(settings.name)];
    this.environment = settings.env.map(zeroEnded);
  }

  set memory(memory: WebAssembly.Memory) {
    this.#memory = new GuestMemory(memory);
  }

  /** There is none while a start function runs before the instance is there. */
  get memory(): GuestMemory | undefined {
    return this.#memory;
  }

  get random(): RandomStream {
    this.observedRandom = true;
    this.#random ??= new RandomStream(this.settings.randomKey);
    return this.#random;
  }

  /** Time since the start, which never goes back. */
  elapsedMs(): number {
    this.observedTime = true;
    this.#elapsedMs = Math.max(this.#elapsedMs, Date.now() - this.#startMs);
    return this.#elapsedMs;
  }
}

/** A text as the zero-ended UTF-8 that C reads. */
function zeroEnded(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}
