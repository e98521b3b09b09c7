/** Makes the OpenAPI 3.1 document of a table of routes. */
import { assert } from "@plinth/core/assert.ts";
import { ERRORS, type ErrorCode } from "@plinth/core/errors.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { Access } from "../door.ts";
import { GENERAL_ERRORS } from "./general-errors.ts";
import { JSON_MEDIA, TAGS, type AnswerDoc, type DocumentedRoute, type RouteDoc } from "./route-doc.ts";
import { refOf, text, type Schema } from "./schema.ts";
import { ERROR } from "./schemas.ts";

export interface DocumentOptions {
  readonly routes: Readonly<Record<string, DocumentedRoute>>;
  /** URL of the API, without a slash at the end. */
  readonly url: string;
}

const DESCRIPTION = `The native API. Every path is also there below \`/t/{tenant}\`, for another tenant than the one of the key.

A request that is refused answers with an \`Error\`: its code stays the same, its status is the code's, and it says what to do next.
Failures of code are results. Requests may hold other fields than those that are named here; they are ignored.

Where an answer is told as \`text/event-stream\` too, \`Accept\` chooses: server-sent events, whose data are JSON as
\`x-plinth-events\` says by the event's name, or \`application/x-ndjson\`: one object \`{"event", "data"}\` per line.

\`x-plinth-scopes\` names the scopes of a key of which one is needed (\`admin\` includes all; \`operator\` is the admin key of the host).`;

const BRANCH_PARAMETERS = {
  Branch: { name: "branch", in: "query", description: "The branch meant; `main` when absent.", schema: text() },
  BranchHeader: { name: "X-Plinth-Branch", in: "header", description: "The branch meant, in place of `?branch=`.", schema: text() },
  BranchKey: {
    name: "X-Plinth-Branch-Key",
    in: "header",
    description: "Key of the branch; every branch but `main` asks for it.",
    schema: text(),
  },
} as const;

export function openApiDocument({ routes, url }: DocumentOptions): JsonObject {
  const schemas = new Map<string, Json>();
  const refused = { ...refusal(GENERAL_ERRORS), description: "Refused for a reason that every route has." };
  const responses = hoisted({ Refused: refused }, schemas);
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(routes)) {
    const path = (paths[route.path.replaceAll(/:(\w+)/g, "{$1}")] ??= {});
    path[route.method.toLowerCase()] = hoisted(operationOf(name, route), schemas);
  }
  return {
    openapi: "3.1.1",
    info: { title: "Plinth", version: "1", description: DESCRIPTION, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    servers: [
      { url },
      {
        url: `${url}/t/{tenant}`,
        description: "Another tenant.",
        variables: { tenant: { default: "default", description: "Name of the tenant." } },
      },
    ],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
      responses,
      parameters: BRANCH_PARAMETERS,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A key of the tenant, or the admin key of the host." },
        serviceToken: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "The token of a snap-in's service account, with or without `Bearer` before it. It brings its tenant and its branch.",
        },
      },
    },
  };
}

function operationOf(operationId: string, route: DocumentedRoute): JsonObject {
  const { doc } = route;
  const access = doc.access ?? route.access;
  return {
    operationId,
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.description === undefined ? {} : { description: doc.description }),
    security: securityOf(access, route.serviceTokens === true),
    ...(access === "open" ? {} : { "x-plinth-scopes": scopesOf(access) }),
    parameters: parametersOf(route),
    ...(doc.body === undefined ? {} : { requestBody: { required: doc.body.required, content: mediaOf(doc.body.content) } }),
    responses: responsesOf(doc),
  };
}

function securityOf(access: Access, serviceTokens: boolean): readonly JsonObject[] {
  if (access === "open") return [];
  const needed = [{ key: scopesOf(access) }, ...(serviceTokens ? [{ serviceToken: [] }] : [])];
  return access === "public" ? [{}, ...needed] : needed;
}

function scopesOf(access: Exclude<Access, "open">): readonly string[] {
  if (access === "operator") return ["operator"];
  return access === "public" ? ["invoke"] : access;
}

function parametersOf({ path, branchless, access, doc }: DocumentedRoute): readonly JsonObject[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    ...parameterSchema(doc.path?.[name] ?? text()),
  }));
  const given = (place: "query" | "header", schemas: Readonly<Record<string, Schema>> = {}): readonly JsonObject[] =>
    Object.entries(schemas).map(([name, schema]) => ({
      name: name.replace(/!$/, ""),
      in: place,
      ...(name.endsWith("!") ? { required: true } : {}),
      ...parameterSchema(schema),
    }));
  const ofBranch = branchless === true || access === "open" ? [] : Object.keys(BRANCH_PARAMETERS);
  return [
    ...inPath,
    ...given("query", doc.query),
    ...given("header", doc.headers),
    ...ofBranch.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

function parameterSchema({ description, ...schema }: Schema): JsonObject {
  return { ...(description === undefined ? {} : { description }), schema };
}

function responsesOf({ answers, errors = [] }: RouteDoc): JsonObject {
  const byStatus = Object.groupBy(errors, (code) => String(ERRORS[code].status));
  const refusals = Object.entries(byStatus).map(([status, codes = []]) => [status, refusal(codes)] as const);
  return {
    ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
    ...Object.fromEntries(refusals),
    default: { $ref: "#/components/responses/Refused" },
  };
}

function refusal(codes: readonly ErrorCode[]): JsonObject {
  const waits = codes.some((code) => ERRORS[code].status === 429 || ERRORS[code].status === 503);
  const retryAfter = { description: "Seconds after which the same request may succeed.", schema: { type: "integer" } };
  return {
    description: [...new Set(codes)].join(", "),
    ...(waits ? { headers: { "Retry-After": retryAfter } } : {}),
    content: { [JSON_MEDIA]: { schema: ERROR } },
    "x-plinth-errors": [...new Set(codes)],
  };
}

function responseOf({ description, content, events, headers }: AnswerDoc): JsonObject {
  const streams = events === undefined ? {} : { "text/event-stream": streamOf(events), "application/x-ndjson": streamOf(events) };
  const shown = Object.entries(headers ?? {}).map(([name, schema]) => [name, parameterSchema(schema)] as const);
  return {
    description,
    ...(shown.length === 0 ? {} : { headers: Object.fromEntries(shown) }),
    content: { ...mediaOf(content), ...streams },
  };
}

function streamOf(events: Readonly<Record<string, Schema>>): JsonObject {
  return { schema: { type: "string" }, "x-plinth-events": events };
}

function mediaOf(content: Readonly<Record<string, Schema>>): JsonObject {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

/** The value with references in place of the named schemas in it, which become components. */
function hoisted(value: Json, components: Map<string, Json>): Json {
  if (Array.isArray(value)) return value.map((each: Json) => hoisted(each, components));
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  const copy = Object.fromEntries(Object.entries(object).map(([name, each]) => [name, hoisted(each, components)]));
  const { title } = copy;
  if (typeof title !== "string") return copy;
  const known = components.get(title);
  assert(known === undefined || JSON.stringify(known) === JSON.stringify(copy), `there is one schema with the name ${title}`);
  components.set(title, copy);
  return { $ref: refOf(title) };
}
