/** `service_account`, and scopes as they also stand in operations. */
import type { ScopeSpec, ServiceAccountSpec } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";

const SCOPE = /^[a-z][a-z0-9_]{0,63}:(?:read|write|all|update|execute)$/;
const SCOPE_FORM = "write `object:permission`, permission one of read, write, all, update and execute";

export function readServiceAccount(reader: ObjectReader): ServiceAccountSpec {
  const displayName = reader.label("display_name", { required: true, instead: "give the account a name that people see" });
  const scopes = reader.object("scopes", (inner) => ({
    self: readScopes(inner, "self"),
    impersonate: inner.objects("impersonate", "manifestScopesMax", (entry) => ({
      actAs: entry.choice("act_as", ["all_devusers"], null),
      scopes: readScopes(entry, "scopes"),
    })),
  }));
  return { displayName, declaresScopes: reader.has("scopes"), self: scopes?.self ?? [], impersonate: scopes?.impersonate ?? [] };
}

/** A missing list and an empty one are the same: no rights. */
export function readScopes(reader: ObjectReader, key: string): readonly ScopeSpec[] {
  return reader.objects(key, "manifestScopesMax", (entry) => ({
    scope: entry.text("scope", { required: true, pattern: SCOPE, instead: SCOPE_FORM }),
    optional: entry.boolean("optional", false),
    reason: entry.optionalText("reason"),
  }));
}
