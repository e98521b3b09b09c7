/** Turns what user code threw into bounded texts. Each touch of the value may throw again or run user code. */
import { inspect } from "node:util";
import { limit } from "@plinth/core/limits.ts";
import type { RunnerFailure } from "@plinth/core/protocol/runner-protocol.ts";
import { showStack } from "./stack-frames.ts";

const MESSAGE_CHARS_MAX = limit("failureMessageCharsMax");
const STACK_CHARS_MAX = limit("failureStackCharsMax");
const NAME_CHARS_MAX = 200;
/** A stack is cut before it is read line by line. */
const STACK_READ_CHARS_MAX = 4 * STACK_CHARS_MAX;

/** What the host is told of a thrown value. Paths in the stack are shown relative to `codeFolder`. */
export function failureOf(thrown: unknown, codeFolder: string | undefined): RunnerFailure {
  if ((typeof thrown !== "object" || thrown === null) && typeof thrown !== "function")
    return { message: cut(primitiveText(thrown), MESSAGE_CHARS_MAX) };
  const stackText = attempt(() => readField(thrown, "stack"));
  const stack = typeof stackText === "string" ? attempt(() => showStack(stackText.slice(0, STACK_READ_CHARS_MAX), codeFolder)) : undefined;
  const retry = attempt(() => retryOf(thrown));
  return {
    message: cut(messageOf(thrown), MESSAGE_CHARS_MAX),
    ...(stack === undefined || stack === "" ? {} : { stack: cut(stack, STACK_CHARS_MAX) }),
    ...(retry === undefined ? {} : { retry }),
  };
}

/** A failure with a text of the runner's own. */
export function plainFailure(message: string): RunnerFailure {
  return { message: cut(message, MESSAGE_CHARS_MAX) };
}

function primitiveText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "bigint" ? `${value}n` : String(value);
}

function messageOf(thrown: object): string {
  const message = attempt(() => readField(thrown, "message"));
  if (typeof message !== "string") return attempt(() => shown(thrown)) ?? "an object that cannot be shown";
  const name = attempt(() => readField(thrown, "name"));
  const shownName = typeof name === "string" && name !== "" ? cut(name, NAME_CHARS_MAX) : "Error";
  return message === "" ? shownName : `${shownName}: ${cut(message, MESSAGE_CHARS_MAX)}`;
}

/**
 * FunctionExecutionError of the authors' library, by its fields: packages bring their own copies of the class, so `instanceof`
 * says nothing.
 */
function retryOf(thrown: object): RunnerFailure["retry"] {
  if (readField(thrown, "retry") !== true) return undefined;
  const refresh = readField(thrown, "refresh");
  if (refresh !== undefined && refresh !== null && typeof refresh !== "boolean") return undefined;
  return { refresh: refresh === true };
}

function shown(value: object): string {
  return inspect(value, { depth: 2, maxArrayLength: 50, maxStringLength: 2000, customInspect: false, getters: false });
}

function readField(value: object, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name];
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
