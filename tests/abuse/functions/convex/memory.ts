/** Category B: code that takes memory. */
import { queryGeneric } from "convex/server";

declare const WebAssembly: { Memory: new (size: object) => { readonly buffer: ArrayBuffer } };

export const B01 = queryGeneric(() => {
  const kept: object[] = [];
  for (;;) kept.push({ a: kept.length, b: [kept.length] });
});

/** Reaches the limit at once, so that memory and not time ends it. */
export const B01quick = queryGeneric(() => {
  const kept: number[][] = [];
  for (;;) kept.push(new Array<number>(500_000).fill(0.5));
});

export const B02 = queryGeneric(() => new Array(3e8).fill(0).length);

export const B02concat = queryGeneric(() => {
  let a: number[] = new Array(1e6).fill(1);
  for (;;) a = a.concat(a);
});

export const B04 = queryGeneric(() => {
  let text = "x";
  for (;;) {
    text += text;
    text.charCodeAt(text.length - 1);
  }
});

export const B05 = queryGeneric(() => {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(16 * 1024 * 1024).fill(1));
});

export const B06 = queryGeneric(() => {
  const kept: ArrayBuffer[] = [];
  for (let i = 0; i < 10_000; i += 1) kept.push(new ArrayBuffer(0, { maxByteLength: 2 ** 32 }));
  return kept.length;
});

export const B08 = queryGeneric(() => {
  const kept: object[] = [];
  for (;;) {
    const memory = new WebAssembly.Memory({ initial: 256 });
    new Uint8Array(memory.buffer).fill(1);
    kept.push(memory);
  }
});

export const B09 = queryGeneric(() => {
  const deeper = (n: number): number => deeper(n + 1) + 1;
  return deeper(0);
});

export const B10 = queryGeneric(() => {
  let object: object = {};
  for (let i = 0; i < 200_000; i += 1) object = new Proxy(object, {});
  return (object as { x?: number }).x ?? 0;
});
