/** Turns what user code threw into bounded texts. Each touch of the value may throw again or run user code. */
import { renderValue } from "./inspect.ts";

export interface ThrownText {
  readonly message: string;
  readonly stack: string;
  readonly dataText: string;
}

const MESSAGE_CHARS_MAX = 16_384;
const STACK_CHARS_MAX = 65_536;
const CONVEX_ERROR = Symbol.for("ConvexError");

export function describeThrown(thrown: unknown): ThrownText {
  if ((typeof thrown !== "object" || thrown === null) && typeof thrown !== "function") {
    return { message: cut(attempt(() => primitiveText(thrown)) ?? "thrown", MESSAGE_CHARS_MAX), stack: "", dataText: "" };
  }
  const error = thrown as Record<string, unknown>;
  const dataText = attempt(() => (CONVEX_ERROR in error ? error["data"] : undefined));
  const stack = attempt(() => error["stack"]);
  return {
    message: cut(errorMessage(error), MESSAGE_CHARS_MAX),
    stack: typeof stack === "string" ? cut(stack, STACK_CHARS_MAX) : "",
    dataText: typeof dataText === "string" ? dataText : "",
  };
}

function primitiveText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "bigint" ? `${value}n` : String(value);
}

function errorMessage(error: Record<string, unknown>): string {
  const name = attempt(() => error["name"]);
  const message = attempt(() => error["message"]);
  if (typeof message !== "string") return attempt(() => renderValue(error, MESSAGE_CHARS_MAX)) ?? "an object that cannot be shown";
  const shownName = typeof name === "string" && name !== "" ? name : "Error";
  return message === "" ? shownName : `${cut(shownName, 200)}: ${message}`;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : text.slice(0, charsMax);
}
