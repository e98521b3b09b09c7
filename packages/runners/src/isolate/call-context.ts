/** A context with the guest in it. The guest's `post` reaches the call that owns it. */
import type { Context, Reference, Script } from "isolated-vm";
import type { Addon } from "./addon.ts";
import type { Slice } from "./isolate-slot.ts";
import { ENTER, type Enter, type Post } from "./wire.ts";

export class CallContext {
  readonly digest: string;
  /** Version and module that it was made for. */
  readonly key: string;
  /** The version's script has run. */
  isLoaded = false;
  /** JSON of the variables that a module read while it was imported; undefined when none did. */
  environmentRead: string | undefined;
  /** The owner; nobody while the context waits for a call, or when its call has ended. */
  post: Post | undefined;
  readonly #context: Context;
  readonly #enter: Reference<Enter>;
  #released = false;

  constructor(options: {
    readonly addon: Addon;
    readonly context: Context;
    readonly enter: Reference<Enter>;
    readonly digest: string;
    readonly key: string;
  }) {
    this.digest = options.digest;
    this.key = options.key;
    this.#context = options.context;
    this.#enter = options.enter;
    const post = new options.addon.Callback((code: number, number: number, a: string, b: string, c: string) =>
      this.post?.(code, number, a, b, c),
    );
    this.#enter.applySync(undefined, [ENTER.install, 0, post as unknown as Post, ""]);
  }

  enter(op: number, number: number, a: string, b: string): Slice {
    return {
      now: (timeout) => this.#enter.applySync(undefined, [op, number, a, b], { timeout }),
      later: (timeout) => this.#enter.apply(undefined, [op, number, a, b], { timeout }),
    };
  }

  /** Runs the version's script, which defines its modules. */
  load(script: Script): Slice {
    return {
      now: (timeout) => script.runSync(this.#context, { timeout }),
      later: (timeout) => script.run(this.#context, { timeout }),
    };
  }

  /** The call has ended; another may follow. */
  leave(): void {
    this.post = undefined;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.post = undefined;
    this.#enter.release();
    this.#context.release();
  }
}
