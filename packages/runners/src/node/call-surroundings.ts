/**
 * What a call finds in the process besides the package's own modules, and what is taken away behind it: variables, timers that
 * would keep the process busy, listeners of `process`. State in modules stays, as the guide says.
 */
import { createHook } from "node:async_hooks";

/** Requests leave through the host, so a proxy would never be reached. */
const PROXY_VARIABLES = /^(?:https?|all|no)_proxy$/i;

type Listener = () => void;

export class CallSurroundings {
  readonly #timers = new Map<number, NodeJS.Timeout | NodeJS.Immediate>();
  #listeners = new Map<string | symbol, readonly unknown[]>();
  #inCall = false;

  constructor() {
    createHook({
      init: (id, type, _trigger, resource) => {
        if (this.#inCall && (type === "Timeout" || type === "Immediate")) this.#timers.set(id, resource as NodeJS.Timeout);
      },
      destroy: (id) => {
        this.#timers.delete(id);
      },
      trackPromises: false,
    }).enable();
  }

  /** Before a call. */
  enter(env: Readonly<Record<string, string>>): void {
    setEnvironment(env);
    this.#listeners = new Map(process.eventNames().map((event) => [event, process.rawListeners(event as "exit")]));
    this.#inCall = true;
  }

  /** After a call. Timers that do not keep the process alive belong to libraries, which may count on them. */
  leave(): void {
    this.#inCall = false;
    for (const timer of this.#timers.values()) {
      if (!timer.hasRef()) continue;
      clearTimeout(timer as NodeJS.Timeout);
      clearImmediate(timer as NodeJS.Immediate);
    }
    this.#timers.clear();
    for (const event of process.eventNames()) {
      const before = this.#listeners.get(event) ?? [];
      for (const listener of process.rawListeners(event as "exit"))
        if (!before.includes(listener)) process.removeListener(event as "exit", listener as Listener);
    }
  }
}

/** Names the scratch folder, where there is one. */
const SCRATCH = process.env["TMPDIR"];

/** The user of a jail has no entry in any list of users, and libraries ask for its home while they are loaded. */
const USUAL: Readonly<Record<string, string>> = SCRATCH === undefined ? { HOME: "/" } : { HOME: SCRATCH, TMPDIR: SCRATCH };

/** Makes `process.env` exactly these variables, `HOME`, and `TMPDIR` where something can be written. */
export function setEnvironment(given: Readonly<Record<string, string>>): void {
  const env = { ...USUAL, ...given };
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  for (const [name, value] of Object.entries(env))
    if (process.env[name] !== value && !PROXY_VARIABLES.test(name)) process.env[name] = value;
}
