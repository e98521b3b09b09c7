/** Requests to a host. Failures become `CommandFailure`s with the host's own words and advice. */
import { ERRORS, type ErrorCode } from "@plinth/core/errors.ts";
import type { Connection } from "./connection.ts";
import { CommandFailure } from "./failure.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

export interface CallOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: Json;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** Sends a request and returns the answer, whatever its status; fails when the host cannot be reached. */
export async function send(connection: Connection, path: string, options: CallOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: options.accept ?? "application/json", ...connection.branchHeaders };
  if (connection.key !== undefined) headers["authorization"] = `Bearer ${connection.key}`;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(connection.url + path, {
      method: options.method ?? (options.body === undefined ? "GET" : "POST"),
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new CommandFailure(
      `No host answers at ${connection.url}. Start one with \`npm start\` or \`plinth dev\`, or name another with --url.`,
      7,
    );
  }
}

/** Sends a request and returns its JSON; fails for every status but 2xx. */
export async function call(connection: Connection, path: string, options: CallOptions = {}): Promise<Json> {
  const response = await send(connection, path, options);
  const text = await response.text();
  const json = parse(text);
  if (!response.ok) throw failureOf(response.status, json);
  return json ?? null;
}

/** The failure that an error answer of the host stands for. */
export function failureOf(status: number, json: Json | undefined): CommandFailure {
  const code = field(json, "code");
  const message = field(json, "message") ?? `the host answered ${status}`;
  const next = field(json, "next");
  const exitCode = code !== undefined && code in ERRORS ? ERRORS[code as ErrorCode].exitCode : status >= 500 ? 7 : 4;
  return new CommandFailure(next === undefined ? message : `${message}\n${next}`, exitCode, code);
}

/** A text field of a JSON object. */
export function field(json: Json | undefined, name: string): string | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const value = (json as { readonly [name: string]: Json | undefined })[name];
  return typeof value === "string" ? value : undefined;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
