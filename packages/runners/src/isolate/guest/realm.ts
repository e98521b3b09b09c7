/** Functions of the context as they were before user code ran, which may replace every one of them. */
export const jsonParse: (text: string) => unknown = JSON.parse;
export const jsonStringify: (value: unknown) => string = JSON.stringify;
export const defineProperty = Object.defineProperty;
export const getOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const ownKeys = Reflect.ownKeys;
export const NativeDate = Date;
export const nativeNow = Date.now;
export const NativeError = Error;
export const PromiseConstructor = Promise;

/** An object without a prototype: no name in it can reach user code. */
export function emptyTable<T>(): Record<string | number, T> {
  return { __proto__: null } as unknown as Record<string | number, T>;
}
