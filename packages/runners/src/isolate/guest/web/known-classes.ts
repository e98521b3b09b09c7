/**
 * The classes of parts that are evaluated. An object can be an instance of a class only after the part of
 * the class was evaluated, so asking here is both cheap and independent of what user code did to the globals.
 */
type Class = abstract new (...args: never[]) => object;

const known: Record<string, Class> = {};

export function knowClasses(classes: Readonly<Record<string, Class>>): void {
  Object.assign(known, classes);
}

export function isKnownInstance(value: unknown): boolean {
  return Object.values(known).some((made) => value instanceof made);
}

export function isInstance(className: string, value: unknown): boolean {
  const found = known[className];
  return found !== undefined && value instanceof found;
}
