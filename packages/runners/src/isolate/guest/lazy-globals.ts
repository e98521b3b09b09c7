/**
 * Globals that are made at their first touch. They are served by the prototype of the global object:
 * defining some 70 accessors in every context would cost 90 µs, a proxy costs nothing until a name is
 * looked up that the context does not have. A made global is an ordinary property.
 */
import { defineProperty, emptyTable } from "./realm.ts";

/** `makers` and `others` are tables without a prototype; `makeOther` makes what `others` names. */
export function serveLazily(
  makers: Record<string, () => unknown>,
  others: Readonly<Record<string, unknown>>,
  makeOther: (name: string) => unknown,
): void {
  const { has, get } = Reflect;
  // The engine's own properties of these names would hide the ones made here.
  for (const name in makers) Reflect.deleteProperty(globalThis, name);

  const isWaiting = (key: string | symbol): key is string =>
    typeof key === "string" && (makers[key] !== undefined || others[key] !== undefined) && made[key] === undefined;
  const made = emptyTable<true>();
  const make = (name: string): unknown => {
    made[name] = true;
    const value = makers[name]?.() ?? makeOther(name);
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    return value;
  };
  Object.setPrototypeOf(
    globalThis,
    new Proxy(Object.getPrototypeOf(globalThis) as object, {
      has: (target, key) => isWaiting(key) || has(target, key),
      get: (target, key, receiver) => (isWaiting(key) ? make(key) : (get(target, key, receiver) as unknown)),
    }),
  );
}
