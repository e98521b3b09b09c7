import { describe, expect, it } from "vitest";
import type { ObjectAccessRequest } from "./object-access.ts";
import { missingScope } from "./operation-access.ts";

const key = (...scopes: string[]): ObjectAccessRequest["actor"] => ({ kind: "key", scopes });
const NATIVE = { origin: "native", scopes: [] } as const;
const CREATE = { origin: "object", scopes: [{ scope: "account:write", optional: false, reason: null }] } as const;
const FUNCTION: ObjectAccessRequest["actor"] = { kind: "function", scopes: [] };
const SERVICE: ObjectAccessRequest["actor"] = { kind: "service", scopes: [] };

describe("who may execute", () => {
  it.each([
    ["A1 an admin key", key("admin"), undefined, CREATE, undefined],
    ["A1 the branch's own code", FUNCTION, undefined, CREATE, undefined],
    ["A2 no more than its grants", FUNCTION, ["account:read"], CREATE, "account:write"],
    ["A2 not with an admin key either", key("admin"), [], CREATE, "account:write"],
    ["A2 a scope for all permissions", SERVICE, ["account:all"], CREATE, undefined],
    ["A2 not the scope of another object", SERVICE, ["accounts:all", "account_write:all"], CREATE, "account:write"],
    ["A3 not a key that calls functions", key("invoke"), undefined, CREATE, "account:write"],
    ["A3 not a key that deploys", key("deploy"), undefined, CREATE, "account:write"],
    ["O2 a key that deploys", key("deploy"), undefined, NATIVE, undefined],
    ["O2 a service account with the scope", SERVICE, ["operation:execute"], NATIVE, undefined],
    ["O2 not one without", SERVICE, ["account:all"], NATIVE, "operation:execute"],
    ["O2 not a service account by default", SERVICE, undefined, NATIVE, "operation:execute"],
    ["O2 not a key that calls functions", key("invoke"), undefined, NATIVE, "operation:execute"],
    ["O2 nobody", { kind: "anonymous", scopes: [] } as const, undefined, NATIVE, "operation:execute"],
    ["functions decide themselves", key("invoke"), undefined, { origin: "function", scopes: [] } as const, undefined],
  ])("%s", (_name, actor, grants, operation, missing) => {
    expect(missingScope({ actor, grants, operation })).toBe(missing);
  });
});
