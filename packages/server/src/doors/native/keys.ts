/** `/v1/keys`: API keys of the tenant. */
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyScope } from "../../engine/invocation.ts";
import { isKeyScope, KEY_SCOPES, type KeyRecord } from "../../tenants/tenant-records.ts";
import { jsonReply, type Reply, type Route } from "../door.ts";
import { arrayField, optionalNumberField, optionalTextField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";

const DAY_MS = 86_400_000;
const NAME_LENGTH = 200;

export const listKeys: Route = {
  method: "GET",
  path: "/v1/keys",
  access: ["admin"],
  branchless: true,
  handle: async (context, { caller }): Promise<Reply> => jsonReply({ keys: (await context.keys.list(caller.scope.tenant)).map(shown) }),
};

/** `{scopes, name?, expiresInDays?}` or `expiresMs`; the answer holds the key, this once. */
export const createKey: Route = {
  method: "POST",
  path: "/v1/keys",
  access: ["admin"],
  branchless: true,
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

export const revokeKey: Route = {
  method: "DELETE",
  path: "/v1/keys/:id",
  access: ["admin"],
  branchless: true,
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
