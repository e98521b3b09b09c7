/** Paths of values in a manifest: `functions[2].name`. */
const PLAIN_KEY = /^[A-Za-z0-9_-]{1,64}$/;

export function childPath(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Keys that mean something to JavaScript objects; no manifest needs them. */
export function isReservedKey(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}
