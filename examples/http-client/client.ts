/** A client of the HTTP API whose paths, parameters, bodies and answers are typed by the API's own description. */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./_generated/plinth-api.d.ts";

/** Where a path can also answer with a stream, the type is the one of its JSON. */
export type PlinthClient = Client<paths, "application/json">;
export type PlinthError = components["schemas"]["Error"];
export type Outcome = components["schemas"]["InvocationOutcome"];

export interface ClientOptions {
  /** `http://127.0.0.1:3210`, or `…/t/<tenant>`. */
  readonly url: string;
  readonly key: string;
  readonly fetch?: (request: Request) => Promise<Response>;
}

export function plinthClient({ url, key, fetch }: ClientOptions): PlinthClient {
  return createClient<paths, "application/json">({
    baseUrl: url,
    headers: { authorization: `Bearer ${key}` },
    ...(fetch === undefined ? {} : { fetch }),
  });
}

/** The answer itself. Throws what the host refused with. */
export function must<T>({ data, error }: { readonly data?: T | undefined; readonly error?: PlinthError | undefined }): T {
  if (error !== undefined) throw new Error(`${error.code}: ${error.message} ${error.next}`);
  if (data === undefined) throw new Error("The answer is empty.");
  return data;
}
