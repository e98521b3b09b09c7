/** `/v1/keys`: API keys of the tenant. */
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyScope } from "../../engine/invocation.ts";
import { isKeyScope, KEY_SCOPES, type KeyRecord } from "../../tenants/tenant-records.ts";
import { jsonReply, type Reply } from "../door.ts";
import { arrayField, optionalNumberField, optionalTextField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { always, closed, list, moment, named, number, open, orNull, text, type Properties } from "../openapi/schema.ts";
import { KEY_SCOPE } from "../openapi/schemas.ts";

const KEY: Properties = {
  id: text(),
  tenant: text(),
  name: text("For people."),
  scopes: list(KEY_SCOPE),
  createdMs: moment(),
  expiresMs: orNull(moment("When it ends; null when it does not.")),
};

const DAY_MS = 86_400_000;
const NAME_LENGTH = 200;

export const listKeys: DocumentedRoute = {
  method: "GET",
  path: "/v1/keys",
  access: ["admin"],
  branchless: true,
  doc: { summary: "List keys", tag: "Keys", answers: { 200: json(closed({ keys: list(named("Key", closed(KEY))) })) } },
  handle: async (context, { caller }): Promise<Reply> => jsonReply({ keys: (await context.keys.list(caller.scope.tenant)).map(shown) }),
};

/** `{scopes, name?, expiresInDays?}` or `expiresMs`; the answer holds the key, this once. */
export const createKey: DocumentedRoute = {
  method: "POST",
  path: "/v1/keys",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Create a key",
    tag: "Keys",
    body: jsonBody(
      open({
        scopes: list(KEY_SCOPE, undefined, { minItems: 1 }),
        "name?": orNull(text("For people.", { maxLength: NAME_LENGTH })),
        "expiresInDays?": orNull(number()),
        "expiresMs?": orNull(moment("In place of `expiresInDays`.")),
      }),
    ),
    answers: { 201: json(named("CreatedKey", closed({ key: text("The key itself, shown this once."), ...KEY })), "The key is made.") },
    errors: ["LimitExceeded"],
  },
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const name = optionalTextField(body, "name") ?? "";
    if (name.length > NAME_LENGTH) throw wrongField("name", `a text of at most ${NAME_LENGTH} characters`, name);
    const { record, token } = await context.keys.create({
      tenant: request.caller.scope.tenant,
      name,
      scopes: readScopes(body),
      expiresMs: readExpiry(body, context.runtime.nowMs()),
    });
    return jsonReply({ key: token, ...shown(record) }, 201);
  },
};

export const revokeKey: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/keys/:id",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Revoke a key",
    tag: "Keys",
    answers: { 200: json(closed({ id: text(), revoked: always(true) })) },
    errors: ["NotFound"],
  },
  handle: async (context, { caller, params }): Promise<Reply> => {
    const id = params["id"] ?? "";
    if (!(await context.keys.revoke(caller.scope.tenant, id))) throw plinthError("NotFound", { what: `key '${id.slice(0, 64)}'` });
    return jsonReply({ id, revoked: true });
  },
};

function shown({ id, tenant, name, scopes, createdMs, expiresMs }: KeyRecord) {
  return { id, tenant, name, scopes, createdMs, expiresMs };
}

function readScopes(body: JsonObject): readonly KeyScope[] {
  const scopes = arrayField(body, "scopes").map((scope) => {
    if (!isKeyScope(scope)) throw wrongField("scopes", `a list of ${KEY_SCOPES.join(", ")}`, scope);
    return scope;
  });
  if (scopes.length === 0) throw wrongField("scopes", "a list with at least one scope", scopes);
  return [...new Set(scopes)];
}

function readExpiry(body: JsonObject, nowMs: number): number | null {
  const days = optionalNumberField(body, "expiresInDays", { min: 0, max: 36_500 });
  if (days !== undefined) return nowMs + days * DAY_MS;
  return optionalNumberField(body, "expiresMs", { min: nowMs, max: nowMs + 36_500 * DAY_MS }) ?? null;
}
