/** What the program in the isolate uses of WebAssembly. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: ArrayBuffer);
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: { readonly memory: Memory; readonly _start: () => void };
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
}
