/** The modules of the version's script, evaluated at their first use. */
import { MODULES_GLOBAL } from "@plinth/core/protocol/runner-protocol.ts";
import { ownKeys } from "./realm.ts";

export type Namespace = Readonly<Record<string, unknown>>;

let modules: Readonly<Record<string, () => Namespace>> | undefined;
let imported:
  | { readonly path: string; readonly namespace: Namespace | undefined; readonly thrown: { readonly value: unknown } | undefined }
  | undefined;

function table(): Readonly<Record<string, () => Namespace>> {
  if (modules !== undefined) return modules;
  const found: unknown = Reflect.get(globalThis, MODULES_GLOBAL);
  if (typeof found !== "object" || found === null) throw new Error(`The script of the version does not set ${MODULES_GLOBAL}.`);
  modules = found as Readonly<Record<string, () => Namespace>>;
  Reflect.deleteProperty(globalThis, MODULES_GLOBAL);
  return modules;
}

export function modulePaths(): string[] {
  return ownKeys(table()).filter((key) => typeof key === "string");
}

export function hasModule(path: string): boolean {
  return Object.hasOwn(table(), path);
}

/** The namespace of a module; evaluates it unless that has happened. */
export function moduleOf(path: string): Namespace {
  if (imported?.path === path) {
    if (imported.thrown !== undefined) throw imported.thrown.value;
    if (imported.namespace !== undefined) return imported.namespace;
  }
  const evaluate = Object.hasOwn(table(), path) ? table()[path] : undefined;
  if (evaluate === undefined) throw new Error(`There is no module "${path}" in this version.`);
  return evaluate();
}

/** Evaluates a module ahead of its call and keeps what it throws for the call. */
export function importAhead(path: string): void {
  if (imported?.path === path) return;
  try {
    imported = { path, namespace: hasModule(path) ? moduleOf(path) : undefined, thrown: undefined };
  } catch (value) {
    imported = { path, namespace: undefined, thrown: { value } };
  }
}
