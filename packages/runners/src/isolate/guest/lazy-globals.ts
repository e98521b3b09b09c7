/**
 * Globals that are made at their first touch. They are served by the prototype of the global object:
 * defining some 70 accessors in every context would cost 90 µs, a proxy costs nothing until a name is
 * looked up that the context does not have. A made global is an ordinary property.
 */
import { defineProperty, emptyTable, getOwnPropertyDescriptor } from "./realm.ts";

/** Names that were touched, with what was made of them; NOT_YET while it is made. */
const made = emptyTable<{ readonly value: unknown }>();
const NOT_YET = { value: undefined };

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
  const make = (name: string): unknown => {
    made[name] = NOT_YET;
    const value = makers[name]?.() ?? makeOther(name);
    made[name] = { value };
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

/** Whether `renewGlobal` can do what it says: user code may have frozen the global object. */
export function canRenewGlobal(name: string): boolean {
  return ownMade(name)?.configurable !== false;
}

/** Has the next touch make it anew, unless user code put something else in its place. */
export function renewGlobal(name: string): void {
  if (ownMade(name)?.configurable === true && Reflect.deleteProperty(globalThis, name)) delete made[name];
}

function ownMade(name: string): PropertyDescriptor | undefined {
  const value = made[name];
  const property = value === undefined ? undefined : getOwnPropertyDescriptor(globalThis, name);
  return property !== undefined && property.value === value?.value ? property : undefined;
}
