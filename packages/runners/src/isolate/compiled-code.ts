/**
 * Source code and, once an isolate has compiled it, V8's cache of it for the next isolates. The cache is
 * made in this process and never leaves it.
 */
import type { ExternalCopy, Isolate, Script } from "isolated-vm";

export class CompiledCode {
  cachedData: ExternalCopy<ArrayBuffer> | undefined;
  readonly #source: string;
  readonly #filename: string;

  constructor(source: string, filename: string) {
    this.#source = source;
    this.#filename = filename;
  }

  compileIn(isolate: Isolate): Script {
    if (this.cachedData !== undefined)
      return isolate.compileScriptSync(this.#source, { filename: this.#filename, cachedData: this.cachedData });
    const script: Script & { cachedData?: ExternalCopy<ArrayBuffer> } = isolate.compileScriptSync(this.#source, {
      filename: this.#filename,
      produceCachedData: true,
    });
    this.cachedData = script.cachedData;
    return script;
  }
}

/** The guest's script. */
export class GuestCode extends CompiledCode {}
