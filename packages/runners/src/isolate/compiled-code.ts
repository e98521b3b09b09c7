/**
 * Source code and, once an isolate has compiled it here, V8's cache of it for the next isolates. The cache is
 * made in this process and never leaves it. Each cache costs twice its size, because isolated-vm forgets the
 * buffer that it copies the cache from: so none is made for the first isolate of a version, which is often the
 * only one.
 */
import type { ExternalCopy, Isolate, Script } from "isolated-vm";

export class CompiledCode {
  #cachedData: ExternalCopy<ArrayBuffer> | undefined;
  readonly #source: string;
  readonly #filename: string;

  constructor(source: string, filename: string) {
    this.#source = source;
    this.#filename = filename;
  }

  compileIn(isolate: Isolate): Script {
    if (this.#cachedData !== undefined)
      return isolate.compileScriptSync(this.#source, { filename: this.#filename, cachedData: this.#cachedData });
    const script: Script & { cachedData?: ExternalCopy<ArrayBuffer> } = isolate.compileScriptSync(this.#source, {
      filename: this.#filename,
      produceCachedData: true,
    });
    this.#cachedData = script.cachedData;
    return script;
  }

  /** Gives the cache's memory back, of which the collector of this process knows nothing. */
  release(): void {
    this.#cachedData?.release();
    this.#cachedData = undefined;
  }
}

/** The guest's script. */
export class GuestCode extends CompiledCode {}
