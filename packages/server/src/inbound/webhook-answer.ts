/** Reads what a policy gave back. It is hostile twice: the policy is a package's, and it comes out of a jail. */
import { limit } from "@plinth/core/limits.ts";

export interface WebhookAnswer {
  /** Null: the policy makes no event of the request. */
  readonly event: WebhookEvent | null;
  readonly response: WebhookResponse;
}

export interface WebhookEvent {
  readonly payload: unknown;
  /** Handlers get the event as `custom:<eventKey>`. */
  readonly eventKey: string;
  readonly syncId: string | null;
  /** Plinth's own: requests with the same one are one event. */
  readonly idempotencyKey: string | null;
}

export interface WebhookResponse {
  readonly status: number;
  /** Text, or any other JSON. */
  readonly body: unknown;
  readonly headers: readonly (readonly [string, string])[];
}

/** What is wrong with an output, for its author. */
export class WrongOutput extends Error {}

const EVENT_KEY = /^[\x21-\x7e]{1,200}$/;

/** Null when the policy says nothing, which is a no. */
export function parseWebhookAnswer(result: unknown): WebhookAnswer | null {
  if (!isObject(result)) throw new WrongOutput("the policy's output cannot be read");
  const output = result["output"];
  if (output === null || output === undefined) return null;
  if (!isObject(output)) throw new WrongOutput("the rule `output` is no object");
  const event = output["event"] === undefined || output["event"] === null ? null : parseEvent(output);
  return { event, response: parseResponse(output["response"]) };
}

function parseEvent(output: Readonly<Record<string, unknown>>): WebhookEvent {
  const eventKey = output["event_key"];
  if (typeof eventKey !== "string" || !EVENT_KEY.test(eventKey))
    throw new WrongOutput("`event_key` beside an event has to be 1 to 200 visible ASCII characters");
  return {
    payload: output["event"],
    eventKey,
    syncId: optionalText(output, "sync_id"),
    idempotencyKey: optionalText(output, "idempotency_key"),
  };
}

function optionalText(output: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = output[name];
  if (value === undefined || value === null) return null;
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text === "" || text.length > limit("webhookOutputFieldCharsMax"))
    throw new WrongOutput(`\`${name}\` has to be a text of at most ${limit("webhookOutputFieldCharsMax")} characters`);
  return text;
}

function parseResponse(response: unknown): WebhookResponse {
  if (response === undefined || response === null) return { status: 200, body: "", headers: [] };
  if (!isObject(response)) throw new WrongOutput("`response` is no object");
  const { status_code: status = 200, body = "", headers = {} } = response;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599)
    throw new WrongOutput("`status_code` has to be a number from 200 to 599");
  if (!isObject(headers)) throw new WrongOutput("`headers` is no object");
  return { status, body, headers: Object.entries(headers).flatMap(([name, value]) => headersOf(name, value)) };
}

function headersOf(name: string, value: unknown): readonly (readonly [string, string])[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((one): readonly [string, string] => {
    if (typeof one !== "string" && typeof one !== "number") throw new WrongOutput(`the header \`${name.slice(0, 100)}\` is no text`);
    return [name, String(one)];
  });
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
