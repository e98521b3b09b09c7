/**
 * How functions are named in calls: by path, or by a function handle that `createFunctionHandle` made. A handle
 * only names a function of the branch it is used in: it grants nothing that the path would not.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

const HANDLE_PREFIX = "function://";

export interface Address {
  readonly name?: unknown;
  readonly reference?: unknown;
  readonly functionHandle?: unknown;
}

/** `@<package>/<function>`: no module's name begins like this. */
export function isHandlerPath(path: string): boolean {
  return path.startsWith("@");
}

/** `dir/module:export`. `module` alone is its default export, `.js` after the module is dropped. Handlers' paths stay as they are. */
export function normalizePath(path: string): string {
  if (isHandlerPath(path)) return path;
  const colon = path.lastIndexOf(":");
  const module = colon === -1 ? path : path.slice(0, colon);
  const name = colon === -1 ? "default" : path.slice(colon + 1);
  return `${module.replace(/\.(js|ts)$/, "").replace(/^\//, "")}:${name === "" ? "default" : name}`;
}

/** The path that an address names. Throws InvalidArgument or NotAvailable. */
export function pathOfAddress(address: Address): string {
  const given = [address.name, address.reference, address.functionHandle].filter((each) => each !== undefined && each !== null);
  const [first] = given;
  if (given.length !== 1 || typeof first !== "string" || first.length > limit("functionPathCharsMax")) {
    throw plinthError("InvalidArgument", { detail: "A function is named by exactly one of `name`, `reference` and `functionHandle`." });
  }
  if (first === address.reference) throw plinthError("NotAvailable", { what: "Calling a component" });
  // A handle holds a path that was made normal when the handle was; doing so twice can name another function.
  return first === address.functionHandle ? pathOfHandle(first) : normalizePath(first);
}

export function functionHandle(path: string): string {
  return HANDLE_PREFIX + Buffer.from(path, "utf8").toString("base64url");
}

function pathOfHandle(handle: string): string {
  const encoded = handle.startsWith(HANDLE_PREFIX) ? handle.slice(HANDLE_PREFIX.length) : "";
  const path = Buffer.from(encoded, "base64url").toString("utf8");
  if (encoded === "" || functionHandle(path) !== handle)
    throw plinthError("InvalidArgument", { detail: "The function handle is not one that `createFunctionHandle` made." });
  return path;
}
