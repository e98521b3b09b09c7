/** Weak references would show when memory is collected, which no two runs do alike: they hold strongly. */
export function makeWeakRef(): unknown {
  return class WeakRef {
    readonly #target: object | symbol;
    constructor(target: object | symbol) {
      if ((typeof target !== "object" || target === null) && typeof target !== "function" && typeof target !== "symbol") {
        throw new TypeError("WeakRef: target must be an object");
      }
      this.#target = target;
    }
    deref(): object | symbol {
      return this.#target;
    }
    get [Symbol.toStringTag](): string {
      return "WeakRef";
    }
  };
}

export function makeFinalizationRegistry(): unknown {
  return class FinalizationRegistry {
    constructor(cleanup: unknown) {
      if (typeof cleanup !== "function") throw new TypeError("FinalizationRegistry: cleanup must be callable");
    }
    register(): void {}
    unregister(): boolean {
      return false;
    }
    get [Symbol.toStringTag](): string {
      return "FinalizationRegistry";
    }
  };
}
