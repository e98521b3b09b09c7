// core-js looks whether the engine has the function; the lazy global would be evaluated a second time.
Object.defineProperty(globalThis, "structuredClone", { value: undefined, writable: true, configurable: true });
