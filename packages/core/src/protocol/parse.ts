/**
 * The reader of envelopes. What a runner sends is hostile: `parseRunnerEnvelope` accepts exactly the
 * shapes of `RunnerEnvelope` (every field, no other field, in range) and throws `ProtocolViolation` for
 * everything else. What the host sends is trusted by the runner: `parseHostEnvelope` is light.
 */
import { scanJsonText } from "../documents/json-scan.ts";
import { limit } from "../limits.ts";
import { FRAME_CAPS, ProtocolViolation } from "./frames.ts";
import type {
  AnalyzedFunction,
  AnalyzeResult,
  FunctionKind,
  HostCallFailure,
  HostEnvelope,
  HttpActionResponse,
  LogLevel,
  ObservedUse,
  RunnerEnvelope,
  RunnerFailure,
  RunnerFailureKind,
} from "./runner-protocol.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const U32_MAX = 0xffff_ffff;
const OP_CHARS_MAX = limit("protocolOpCharsMax");
const OP = /^[A-Za-z0-9./_-]+$/;
const VERSION = /^[A-Za-z0-9_:.-]{1,128}$/;
const NAME_CHARS_MAX = limit("protocolNameCharsMax");
const FUNCTION_PATH_CHARS_MAX = limit("functionPathCharsMax");

const LOG_LEVELS: readonly LogLevel[] = ["debug", "log", "info", "warn", "error"];
const FAILURE_KINDS: readonly RunnerFailureKind[] = ["error", "timeout", "outOfMemory", "neverResolves", "lost", "policy", "invalid"];
const FUNCTION_KINDS: readonly FunctionKind[] = ["query", "mutation", "action", "httpAction", "handler", "inline"];

type Fields = ReadonlyMap<string, unknown>;

/** Parses the envelope of a frame that a runner sent. */
export function parseRunnerEnvelope(bytes: Uint8Array): RunnerEnvelope {
  const fields = fieldsOf(parseJson(bytes, limit("envelopeDepthMax"), FRAME_CAPS.envelopeBytesMax), "envelope");
  const type = text(fields, "type", NAME_CHARS_MAX);
  switch (type) {
    case "ready":
      exactly(fields, ["type", "protocol", "runtime", "engine"]);
      return {
        type,
        protocol: integer(fields, "protocol", U32_MAX),
        runtime: text(fields, "runtime", NAME_CHARS_MAX),
        engine: text(fields, "engine", NAME_CHARS_MAX),
      };
    case "loaded":
    case "loadFailed":
    case "needSourceMap":
      exactly(fields, ["type", "version"]);
      return { type, version: matching(fields, "version", VERSION) };
    case "call":
      exactly(fields, ["type", "call", "id", "op"]);
      return { type, call: integer(fields, "call", U32_MAX), id: integer(fields, "id", U32_MAX), op: opName(fields) };
    case "log":
      exactly(fields, ["type", "call", "level", "truncated", "dropped"]);
      return {
        type,
        call: integer(fields, "call", U32_MAX),
        level: oneOf(fields, "level", LOG_LEVELS),
        truncated: bool(fields, "truncated"),
        dropped: integer(fields, "dropped", U32_MAX),
      };
    case "result":
      exactly(fields, ["type", "call", "heapBytes", "observedTime", "observedRandom"]);
      return { type, call: integer(fields, "call", U32_MAX), ...observedUse(fields) };
    case "failure":
      exactly(fields, ["type", "call", "kind", "heapBytes", "observedTime", "observedRandom"], ["final"]);
      return {
        type,
        call: integer(fields, "call", U32_MAX),
        kind: oneOf(fields, "kind", FAILURE_KINDS),
        ...observedUse(fields),
        ...(fields.has("final") ? { final: bool(fields, "final") } : {}),
      };
    default:
      throw new ProtocolViolation("unknown type of envelope");
  }
}

/** Parses the body of `failure` and `loadFailed`. Texts over their caps are cut, not refused. */
export function parseRunnerFailure(bytes: Uint8Array): RunnerFailure {
  const fields = fieldsOf(parseJson(bytes, 2, FRAME_CAPS.frameBytesMax), "failure");
  exactly(fields, ["message"], ["stack", "dataText", "retry"]);
  const stack = optionalText(fields, "stack", limit("failureStackCharsMax"));
  const dataText = optionalText(fields, "dataText", limit("resultBytesMax"));
  return {
    message: text(fields, "message", limit("failureMessageCharsMax")),
    ...(stack === undefined ? {} : { stack }),
    ...(dataText === undefined ? {} : { dataText }),
    ...(fields.has("retry") ? { retry: retryOf(fields.get("retry")) } : {}),
  };
}

function retryOf(value: unknown): { readonly refresh: boolean } {
  const fields = fieldsOf(value, "retry");
  exactly(fields, ["refresh"]);
  return { refresh: bool(fields, "refresh") };
}

/** Parses the result text of an httpAction. */
export function parseHttpActionResponse(bytes: Uint8Array): HttpActionResponse {
  const fields = fieldsOf(parseJson(bytes, 4, FRAME_CAPS.frameBytesMax), "response");
  exactly(fields, ["routed", "status", "headers", "bodyBase64"]);
  const status = integer(fields, "status", 999);
  if (status < 200) throw new ProtocolViolation("status is out of range");
  return {
    routed: bool(fields, "routed"),
    status,
    headers: list(fields, "headers", limit("fetchHeadersMax")).map(headerOf),
    bodyBase64: text(fields, "bodyBase64", FRAME_CAPS.frameBytesMax),
  };
}

/** Parses the result text of `analyze`. The schema and crons texts inside are not looked at. */
export function parseAnalyzeResult(source: string): AnalyzeResult {
  const fields = fieldsOf(parseJson(new TextEncoder().encode(source), 5, FRAME_CAPS.frameBytesMax), "analysis");
  exactly(fields, ["functions", "schema", "crons", "httpRoutes"]);
  const functions = list(fields, "functions", limit("functionsPerVersionMax")).map(analyzedFunction);
  const paths = new Set(functions.map((each) => each.path));
  if (paths.size !== functions.length) throw new ProtocolViolation("a function is listed twice");
  return {
    functions,
    schema: nullableText(fields, "schema"),
    crons: nullableText(fields, "crons"),
    httpRoutes: list(fields, "httpRoutes", limit("functionsPerVersionMax")).map((item) => {
      const route = fieldsOf(item, "route");
      exactly(route, ["path", "method"]);
      return { path: text(route, "path", FUNCTION_PATH_CHARS_MAX), method: text(route, "method", 16) };
    }),
  };
}

/** Parses an envelope of the host, which the runner trusts: syntax is checked, fields are not. */
export function parseHostEnvelope(bytes: Uint8Array): HostEnvelope {
  return JSON.parse(decoder.decode(bytes)) as HostEnvelope;
}

/** Parses the body of a `reply` that is not ok; trusted like the envelope. */
export function parseHostCallFailure(bytes: Uint8Array): HostCallFailure {
  return JSON.parse(decoder.decode(bytes)) as HostCallFailure;
}

function analyzedFunction(item: unknown): AnalyzedFunction {
  const fields = fieldsOf(item, "function");
  exactly(fields, ["path", "kind", "visibility", "args", "returns"], ["operation"]);
  const operation = optionalText(fields, "operation", limit("operationTextCharsMax"));
  return {
    path: text(fields, "path", FUNCTION_PATH_CHARS_MAX),
    kind: oneOf(fields, "kind", FUNCTION_KINDS),
    visibility: oneOf(fields, "visibility", ["public", "internal"] as const),
    args: text(fields, "args", limit("resultBytesMax")),
    returns: text(fields, "returns", limit("resultBytesMax")),
    ...(operation === undefined ? {} : { operation }),
  };
}

function observedUse(fields: Fields): ObservedUse {
  return {
    heapBytes: integer(fields, "heapBytes", Number.MAX_SAFE_INTEGER),
    observedTime: bool(fields, "observedTime"),
    observedRandom: bool(fields, "observedRandom"),
  };
}

function headerOf(item: unknown): readonly [string, string] {
  if (!Array.isArray(item) || item.length !== 2) throw new ProtocolViolation("a header is not a pair");
  const [name, value] = item as readonly unknown[];
  if (typeof name !== "string" || typeof value !== "string") throw new ProtocolViolation("a header is not a pair of texts");
  return [name, value];
}

function parseJson(bytes: Uint8Array, depthMax: number, bytesMax: number): unknown {
  if (bytes.length > bytesMax) throw new ProtocolViolation(`text of ${bytes.length} bytes is over ${bytesMax}`);
  try {
    scanJsonText(bytes, { depthMax });
  } catch (error) {
    throw new ProtocolViolation(error instanceof Error ? error.message : "too much JSON");
  }
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch {
    throw new ProtocolViolation("not JSON in UTF-8");
  }
}

/** Own fields as a map, so that no name can reach a prototype. */
function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ProtocolViolation(`${what} is not an object`);
  return new Map<string, unknown>(Object.entries(value));
}

/** Refuses missing and additional fields. */
function exactly(fields: Fields, names: readonly string[], optional: readonly string[] = []): void {
  let found = 0;
  for (const name of names) {
    if (!fields.has(name)) throw new ProtocolViolation(`field ${name} is missing`);
    found++;
  }
  for (const name of optional) if (fields.has(name)) found++;
  if (fields.size !== found) throw new ProtocolViolation("a field is unknown");
}

function text(fields: Fields, name: string, charsMax: number): string {
  const value = fields.get(name);
  if (typeof value !== "string" || value.length > charsMax)
    throw new ProtocolViolation(`field ${name} is not a text of at most ${charsMax} characters`);
  return value;
}

function optionalText(fields: Fields, name: string, charsMax: number): string | undefined {
  return fields.has(name) ? text(fields, name, charsMax) : undefined;
}

function nullableText(fields: Fields, name: string): string | null {
  return fields.get(name) === null ? null : text(fields, name, FRAME_CAPS.frameBytesMax);
}

function matching(fields: Fields, name: string, pattern: RegExp): string {
  const value = text(fields, name, NAME_CHARS_MAX);
  if (!pattern.test(value)) throw new ProtocolViolation(`field ${name} has characters that it may not have`);
  return value;
}

function opName(fields: Fields): string {
  const op = text(fields, "op", OP_CHARS_MAX);
  if (!OP.test(op)) throw new ProtocolViolation("field op has characters that it may not have");
  return op;
}

function integer(fields: Fields, name: string, max: number): number {
  const value = fields.get(name);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new ProtocolViolation(`field ${name} is not an integer between 0 and ${max}`);
  }
  return value;
}

function bool(fields: Fields, name: string): boolean {
  const value = fields.get(name);
  if (typeof value !== "boolean") throw new ProtocolViolation(`field ${name} is not a boolean`);
  return value;
}

function oneOf<T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const value = fields.get(name);
  const found = values.find((each) => each === value);
  if (found === undefined) throw new ProtocolViolation(`field ${name} is none of ${values.join(", ")}`);
  return found;
}

function list(fields: Fields, name: string, itemsMax: number): readonly unknown[] {
  const value = fields.get(name);
  if (!Array.isArray(value) || value.length > itemsMax) throw new ProtocolViolation(`field ${name} is not a list of at most ${itemsMax}`);
  return value;
}
