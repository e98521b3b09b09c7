/** `/v1/tenants`: organisations of this host; for its operator only. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Tenant } from "../../tenants/tenant-records.ts";
import { jsonReply, type Reply } from "../door.ts";
import { optionalBooleanField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { always, closed, flag, list, moment, named, open, orNull, text, type Properties } from "../openapi/schema.ts";

const REQUIRE_KEY = "Whether public functions need a key with the scope `invoke`.";
const TENANT_PROPERTIES: Properties = {
  name: text(),
  requireKey: flag(REQUIRE_KEY),
  "createdMs?": moment("Absent of the tenant `default`, which is always there."),
};
const TENANT = named("Tenant", closed(TENANT_PROPERTIES));

export const listTenants: DocumentedRoute = {
  method: "GET",
  path: "/v1/tenants",
  access: "operator",
  branchless: true,
  doc: { summary: "List tenants", tag: "Tenants", answers: { 200: json(closed({ tenants: list(TENANT) })) } },
  handle: async (context): Promise<Reply> => jsonReply({ tenants: (await context.tenants.list()).map(shown) }),
};

/** `{name, requireKey?}` */
export const createTenant: DocumentedRoute = {
  method: "POST",
  path: "/v1/tenants",
  access: "operator",
  branchless: true,
  doc: {
    summary: "Create a tenant",
    tag: "Tenants",
    body: jsonBody(open({ name: text(), "requireKey?": orNull(flag(REQUIRE_KEY)) })),
    answers: {
      201: json(
        named("CreatedTenant", closed({ ...TENANT_PROPERTIES, path: text("What paths of the tenant begin with.") })),
        "The tenant is made.",
      ),
    },
    errors: ["AlreadyExists"],
  },
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const tenant = await context.tenants.create({
      name: textField(body, "name"),
      requireKey: optionalBooleanField(body, "requireKey") ?? false,
    });
    return jsonReply({ ...shown(tenant), path: `/t/${tenant.name}` }, 201);
  },
};

/** `{requireKey}`: whether public functions of the tenant need a key. */
export const changeTenant: DocumentedRoute = {
  method: "PUT",
  path: "/v1/tenants/:name",
  access: "operator",
  branchless: true,
  doc: {
    summary: "Change a tenant",
    tag: "Tenants",
    body: jsonBody(open({ requireKey: flag(REQUIRE_KEY) })),
    answers: { 200: json(TENANT) },
    errors: ["NotFound"],
  },
  handle: async (context, request): Promise<Reply> => {
    const wanted = optionalBooleanField(readJsonObject(request), "requireKey");
    if (wanted === undefined) throw plinthError("BadRequest", { detail: "`requireKey` must be true or false, not absent." });
    return jsonReply(shown(await context.tenants.setRequireKey(request.params["name"] ?? "", wanted)));
  },
};

export const deleteTenant: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/tenants/:name",
  access: "operator",
  branchless: true,
  doc: {
    summary: "Delete a tenant with all of its data",
    tag: "Tenants",
    answers: { 200: json(closed({ name: text(), deleted: always(true) })) },
    errors: ["NotFound"],
  },
  handle: async (context, { params }): Promise<Reply> => {
    const name = params["name"] ?? "";
    await context.tenants.delete(name);
    await context.keys.revokeAll(name);
    // What lies outside of the tenant's own data ends with its branches: addresses that others were told, sagas, indexes in memory.
    await context.branches.deleteAll(name);
    context.streams.endOfTenant(name);
    await context.sandbox.evict(name);
    context.eraser.erase(name);
    return jsonReply({ name, deleted: true });
  },
};

/** The tenant `default` was never created: it has no time. */
function shown({ name, createdMs, requireKey }: Tenant) {
  return { name, requireKey, ...(createdMs === 0 ? {} : { createdMs }) };
}
