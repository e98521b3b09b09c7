/** What a policy sees of an HTTP request. */
import { textOfBytes } from "./bytes.ts";

export interface WebhookRequest {
  readonly method: string;
  /** Without the question mark. */
  readonly query: string;
  /** In the order in which they came. */
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBase64: string;
}

const JSON_TYPE = /^[a-z0-9.+-]+\/(?:[a-z0-9.+-]+\+)?json$/;
const FORM_TYPE = "application/x-www-form-urlencoded";

/** `{parameters, request: {method, query, query_raw, headers, body, body_raw}}`; `body` is absent when it is neither JSON nor a form. */
export function webhookInput(request: WebhookRequest, parameters: unknown): unknown {
  const headers = new Map(request.headers.map(([name, value]) => [canonicalName(name), value]));
  const body = bodyOf(request.bodyBase64, headers.get("Content-Type") ?? "");
  return {
    parameters,
    request: {
      method: request.method,
      query: formFields(request.query),
      query_raw: request.query,
      headers: Object.fromEntries(headers),
      ...(body === undefined ? {} : { body }),
      body_raw: request.bodyBase64,
    },
  };
}

/** As Go writes names: `x-hub-signature-256` is `X-Hub-Signature-256`. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

function formFields(text: string): Readonly<Record<string, readonly string[]>> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const known = fields.get(name);
    if (known === undefined) fields.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries(fields);
}

/** A body whose type nobody said is tried as JSON. */
function bodyOf(base64: string, contentType: string): unknown {
  if (base64 === "") return undefined;
  const text = textOfBytes(Buffer.from(base64, "base64"));
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type.trim() === FORM_TYPE) return formFields(text);
  if (type.trim() !== "" && !JSON_TYPE.test(type.trim())) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
