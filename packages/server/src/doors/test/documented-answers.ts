/**
 * Whether the answers of a host are what the OpenAPI document says: each JSON answer, each event of a stream, the codes of
 * refusals, and the bodies of requests that were taken. Throws at the first difference.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { DOCUMENTED_ROUTES } from "../native/table.ts";
import { openApiDocument } from "../openapi/document.ts";
import { GENERAL_ERRORS } from "../openapi/general-errors.ts";
import { JSON_MEDIA, type DocumentedRoute } from "../openapi/route-doc.ts";

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly requestType: string | undefined;
  /** Undefined where it was no text. */
  readonly requestText: string | undefined;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const ROUTES: readonly DocumentedRoute[] = Object.values(DOCUMENTED_ROUTES);
const MATCHERS = ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}$`),
}));

const document = openApiDocument({ routes: DOCUMENTED_ROUTES, url: "" });
const ajv = new Ajv2020({ strictTypes: false, strictRequired: false, allErrors: true, validateSchema: false });
for (const [name, schema] of Object.entries(at(["components", "schemas"]))) ajv.addSchema(withNames(schema), `component:${name}`);
const compiled = new Map<string, ValidateFunction>();

/** Nothing is said about routes that the document has not. */
export function checkDocumented(exchange: Exchange): void {
  const route = routeOf(exchange);
  if (route === undefined) return;
  const place = `${route.method} ${route.path}`;
  if (exchange.status < 300) {
    checkRequest(route, exchange, place);
    checkAnswer(route, exchange, place);
  } else if (isJson(exchange.contentType)) checkRefusal(route, exchange, place);
  else if (route.doc.answers[exchange.status] === undefined) throw new Error(`${place} answered an undocumented ${exchange.status}`);
}

/** `fetch` of a host's API, with the check. Not for streams that stay open. */
export async function checkedFetch(request: Request): Promise<Response> {
  const requestType = request.headers.get("content-type") ?? undefined;
  const requestText = isJson(requestType ?? "") ? await request.clone().text() : undefined;
  const response = await fetch(request);
  const { pathname, search } = new URL(request.url);
  checkDocumented({
    method: request.method,
    path: pathname + search,
    requestType,
    requestText,
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    text: await response.clone().text(),
  });
  return response;
}

function routeOf({ method, path }: Exchange): DocumentedRoute | undefined {
  const pathname = path.replace(/[?#].*$/s, "").replace(/^\/t\/[^/]*(?=\/)/, "");
  // Exact paths go before those with parameters, as in the router.
  const matching = MATCHERS.filter(({ route, pattern }) => route.method === method && pattern.test(pathname)).map(({ route }) => route);
  return matching.find((route) => route.path === pathname) ?? matching[0];
}

function checkRequest({ doc, ...route }: DocumentedRoute, { requestType, requestText }: Exchange, place: string): void {
  if (requestText === undefined || requestText === "" || doc.body === undefined) return;
  if (doc.body.content[JSON_MEDIA] === undefined || !isJson(requestType ?? JSON_MEDIA)) return;
  check([...operationKeys(route), "requestBody", "content", JSON_MEDIA, "schema"], JSON.parse(requestText), `${place}: the request's body`);
}

function checkAnswer({ doc, ...route }: DocumentedRoute, { status, contentType, text }: Exchange, place: string): void {
  const answer = doc.answers[status];
  if (answer === undefined) throw new Error(`${place} answered an undocumented ${status}: ${text.slice(0, 500)}`);
  const content = [...operationKeys(route), "responses", String(status), "content"];
  const type = contentType.replace(/\s*;.*$/, "");
  if (type === JSON_MEDIA) check([...content, type, "schema"], JSON.parse(text), `${place}: the answer`);
  else if (answer.events !== undefined && (type === "text/event-stream" || type === "application/x-ndjson"))
    for (const [event, data] of type === "text/event-stream" ? serverSentEvents(text) : linesOf(text)) {
      if (answer.events[event] === undefined) throw new Error(`${place} sent an undocumented event ${event}`);
      check([...content, type, "x-plinth-events", event], data, `${place}: the event ${event}`);
    }
  else if (answer.content[type] === undefined && answer.content["*/*"] === undefined)
    throw new Error(`${place} answered with the undocumented type ${type}`);
}

function checkRefusal({ doc }: DocumentedRoute, { status, text }: Exchange, place: string): void {
  const refusal: unknown = JSON.parse(text);
  check(["components", "schemas", "Error"], refusal, `${place}: the refusal`);
  const { code } = refusal as { readonly code: string };
  if (![...GENERAL_ERRORS, ...(doc.errors ?? [])].some((each) => each === code))
    throw new Error(`${place} refused with ${code} (${status}), which it does not document: ${text.slice(0, 500)}`);
}

function operationKeys({ method, path }: Pick<DocumentedRoute, "method" | "path">): readonly string[] {
  return ["paths", path.replaceAll(/:(\w+)/g, "{$1}"), method.toLowerCase()];
}

function check(keys: readonly string[], value: unknown, what: string): void {
  const place = keys.join(" ");
  const validate = compiled.get(place) ?? ajv.compile(withNames(at(keys)));
  compiled.set(place, validate);
  if (validate(value)) return;
  const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  throw new Error(`${what} is not as documented: ${faults.slice(0, 12).join("; ")}\n${JSON.stringify(value).slice(0, 2000)}`);
}

/** The part of the document. */
function at(keys: readonly string[]): object {
  let value: unknown = document;
  for (const key of keys) value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  if (typeof value !== "object" || value === null) throw new Error(`the document has nothing at ${keys.join(" ")}`);
  return value;
}

/** References by the name of the component, wherever the schema stands. */
function withNames(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"component:')) as object;
}

function serverSentEvents(text: string): readonly (readonly [string, unknown])[] {
  return text.split("\n\n").flatMap((block) => {
    const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    return event === undefined || data === undefined ? [] : [[event, JSON.parse(data) as unknown] as const];
  });
}

function linesOf(text: string): readonly (readonly [string, unknown])[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const { event, data } = JSON.parse(line) as { readonly event: string; readonly data: unknown };
    return [event, data] as const;
  });
}

function isJson(type: string): boolean {
  return /^application\/json\b/.test(type);
}
