/**
 * DOMException of Web IDL. The packages that have it either only return the platform's own, or expect it
 * to stand as a global already.
 */
import { platformClasses } from "./platform-class.ts";

const CODES: Readonly<Record<string, number>> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
};

/** Constants of old names that are no more thrown. */
const OLD_CONSTANTS = { DOMSTRING_SIZE_ERR: 2, NO_DATA_ALLOWED_ERR: 6, VALIDATION_ERR: 16 } as const;

export class DOMException extends Error {
  readonly #name: string;

  constructor(message: unknown = "", options: unknown = "Error") {
    const given =
      typeof options === "object" && options !== null ? (options as { readonly name?: unknown; readonly cause?: unknown }) : undefined;
    super(`${message}`, given !== undefined && "cause" in given ? { cause: given.cause } : undefined);
    const name = given === undefined ? options : (given.name ?? "Error");
    this.#name = `${name}`;
  }

  override get name(): string {
    return this.#name;
  }

  get code(): number {
    return Object.hasOwn(CODES, this.#name) ? (CODES[this.#name] ?? 0) : 0;
  }
}

platformClasses({ DOMException });

/** `InvalidStateError` → `INVALID_STATE_ERR` */
const constants = Object.entries(CODES).map(([name, code]): [string, number] => [
  name
    .replace("URL", "Url")
    .replace(/(?!^)[A-Z]/g, "_$&")
    .toUpperCase()
    .replace(/ERROR$/, "ERR"),
  code,
]);
for (const [name, value] of [...constants, ...Object.entries(OLD_CONSTANTS)]) {
  for (const target of [DOMException, DOMException.prototype]) Object.defineProperty(target, name, { value, enumerable: true });
}
