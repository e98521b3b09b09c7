/**
 * AsyncLocalStorage without help from the engine, which offers none to a bare context. A store follows its
 * `run` into everything synchronous, into callbacks of promises (`then`, `catch`, `finally`), timers and
 * microtasks. What the engine hides is the continuation after an `await`; there, the store of the innermost
 * `run` whose promise is still pending is taken. That is right when the runs of one storage are nested or
 * follow each other. When several that were started together pend side by side, the store after an `await` is
 * undefined; when they were started one after the other without waiting, it may be that of the later one.
 */
import { platformClasses } from "./platform-class.ts";

interface Run {
  readonly store: unknown;
  /** The run of the same storage within which this one was started. */
  readonly parent: Run | undefined;
  /** The turn of the event loop in which it was started. */
  readonly turn: object;
  pending: boolean;
}

/** What is current in synchronous code, by storage. */
type Frame = ReadonlyMap<object, Run>;

const EMPTY: Frame = new Map();
let current: Frame = EMPTY;
let patched = false;

let turn: object | undefined;

function currentTurn(): object {
  if (turn !== undefined) return turn;
  void Promise.resolve().then(() => {
    turn = undefined;
  });
  turn = {};
  return turn;
}

function within<Args extends unknown[], Result>(frame: Frame, callback: (...args: Args) => Result, self: unknown, args: Args): Result {
  const before = current;
  current = frame;
  try {
    return callback.apply(self, args);
  } finally {
    current = before;
  }
}

/** Makes the callbacks of promises and of the global timers remember where they were given. */
function patchCallbacks(): void {
  if (patched) return;
  patched = true;
  const nativeThen = Promise.prototype.then;
  type Reaction = (value: unknown) => unknown;
  function boundThen(this: Promise<unknown>, onFulfilled?: Reaction, onRejected?: Reaction): Promise<unknown> {
    return nativeThen.call(this, bindIfFunction(onFulfilled), bindIfFunction(onRejected));
  }
  Object.defineProperty(boundThen, "name", { value: "then" });
  Reflect.set(Promise.prototype, "then", boundThen);
  for (const name of ["setTimeout", "setInterval", "queueMicrotask"]) {
    const native: unknown = Reflect.get(globalThis, name);
    if (typeof native !== "function") continue;
    const bound = (callback: unknown, ...rest: unknown[]): unknown =>
      Reflect.apply(native, globalThis, [bindIfFunction(callback), ...rest]);
    Object.defineProperty(bound, "name", { value: name });
    Object.defineProperty(globalThis, name, { value: bound, writable: true, configurable: true });
  }
}

function bindIfFunction<Value>(value: Value): Value {
  if (typeof value !== "function" || current === EMPTY) return value;
  const frame = current;
  const bound = function (this: unknown, ...args: unknown[]): unknown {
    return within(frame, (...all: unknown[]) => Reflect.apply(value, this, all), undefined, args);
  };
  return bound as unknown as Value;
}

export class AsyncLocalStorage {
  readonly #pending = new Set<Run>();
  readonly #default: unknown;
  readonly name: string;

  constructor(options?: { readonly defaultValue?: unknown; readonly name?: string }) {
    this.#default = options?.defaultValue;
    this.name = options?.name ?? "";
    patchCallbacks();
  }

  static bind<Args extends unknown[], Result>(callback: (...args: Args) => Result): (...args: Args) => Result {
    const frame = current;
    return function (this: unknown, ...args: Args): Result {
      return within(frame, callback, this, args);
    };
  }

  static snapshot(): (callback: (...args: unknown[]) => unknown, ...args: unknown[]) => unknown {
    return AsyncLocalStorage.bind((callback: (...args: unknown[]) => unknown, ...args: unknown[]) => callback(...args));
  }

  run<Args extends unknown[], Result>(store: unknown, callback: (...args: Args) => Result, ...args: Args): Result {
    const run: Run = { store, parent: this.#parent(), turn: currentTurn(), pending: false };
    const result = within(new Map(current).set(this, run), callback, undefined, args);
    if (result instanceof Promise) this.#follow(run, result);
    return result;
  }

  exit<Args extends unknown[], Result>(callback: (...args: Args) => Result, ...args: Args): Result {
    return this.run(undefined, callback, ...args);
  }

  enterWith(store: unknown): void {
    current = new Map(current).set(this, { store, parent: this.#parent(), turn: currentTurn(), pending: false });
  }

  getStore(): unknown {
    const run = this.#run();
    return run === undefined ? this.#default : run.store;
  }

  disable(): void {
    this.#pending.clear();
    const frame = new Map(current);
    frame.delete(this);
    current = frame;
  }

  #follow(run: Run, result: Promise<unknown>): void {
    run.pending = true;
    this.#pending.add(run);
    const done = (): void => {
      run.pending = false;
      this.#pending.delete(run);
    };
    void result.finally(done).catch(() => undefined);
  }

  /**
   * The run that a new one is nested in. When another run was started in the same turn and is pending, the
   * code at hand stands beside that one, not in it.
   */
  #parent(): Run | undefined {
    const known = current.get(this);
    if (known !== undefined) return known;
    const turn = currentTurn();
    const sibling = [...this.#pending].find((run) => run.turn === turn);
    return sibling === undefined ? this.#run() : sibling.parent;
  }

  /** The run that the code at hand belongs to, as far as can be known. */
  #run(): Run | undefined {
    const known = current.get(this);
    if (known !== undefined) return known;
    const runs = [...this.#pending];
    const innermost = runs.at(-1);
    if (innermost === undefined) return undefined;
    const ancestors = new Set<Run>();
    for (let run: Run | undefined = innermost; run !== undefined; run = run.parent) ancestors.add(run);
    return runs.every((run) => ancestors.has(run)) ? innermost : undefined;
  }
}

export class AsyncResource {
  readonly #frame = current;
  readonly type: string;

  constructor(type = "AsyncResource") {
    this.type = type;
  }

  static bind<Args extends unknown[], Result>(callback: (...args: Args) => Result): (...args: Args) => Result {
    return AsyncLocalStorage.bind(callback);
  }

  bind<Args extends unknown[], Result>(callback: (...args: Args) => Result): (...args: Args) => Result {
    return (...args) => within(this.#frame, callback, undefined, args);
  }

  runInAsyncScope<Args extends unknown[], Result>(callback: (...args: Args) => Result, self?: unknown, ...args: Args): Result {
    return within(this.#frame, callback, self, args);
  }

  emitDestroy(): this {
    return this;
  }
}

platformClasses({ AsyncLocalStorage, AsyncResource });
