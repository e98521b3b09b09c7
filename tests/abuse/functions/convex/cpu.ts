/** Category A: code that does not end. Each export is a case; its name is the id. */
import { actionGeneric, queryGeneric } from "convex/server";

declare const WebAssembly: { Memory: new (size: object) => { readonly buffer: ArrayBuffer } };

const spin = () => {
  for (;;);
};

export const A01 = queryGeneric(() => spin());

export const A04 = queryGeneric(async (ctx) => {
  await ctx.db.query("things").first();
  spin();
});

export const A05 = queryGeneric(() => /^(a+)+$/.test(`${"a".repeat(64)}!`));

export const A06 = queryGeneric(() => Array.prototype.indexOf.call({ length: Number.MAX_SAFE_INTEGER }, 1));

export const A08 = queryGeneric(() => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return Atomics.wait(new Int32Array(memory.buffer), 0, 0);
});

export const A09 = queryGeneric(async () => await new Promise(() => undefined));

/** Leaves timers behind; the result must come all the same, and nothing after it. */
export const A10 = actionGeneric(() => {
  for (let i = 0; i < 1000; i += 1) setInterval(() => console.log("late"), 1);
  return "done";
});

export const A12 = queryGeneric(() => {
  throw {
    get message() {
      return spin();
    },
    get stack() {
      return spin();
    },
    get name() {
      return spin();
    },
    toString: spin,
  };
});

export const A13 = queryGeneric(() => {
  (Error as { prepareStackTrace?: unknown }).prepareStackTrace = spin;
  throw new Error("hidden");
});

export const A14toJSON = queryGeneric(() => ({ toJSON: spin }) as never);

export const A14then = queryGeneric(() => ({ then: spin }) as never);

export const A14getter = queryGeneric(
  () =>
    ({
      get value() {
        return spin();
      },
    }) as never,
);

export const A14proxy = queryGeneric(() => new Proxy({}, { ownKeys: spin as never, get: spin as never }) as never);

/** BigInt squaring is one of the built-ins that V8 cannot interrupt. */
export const A06bigint = queryGeneric(() => {
  let n = 3n;
  for (let i = 0; i < 40; i += 1) n *= n;
  return String(n).length;
});

export const microtasks = queryGeneric(async () => {
  for (;;) await null;
});
