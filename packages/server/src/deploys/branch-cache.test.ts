/** R3 of branches: keys of what is cached about functions. */
import { expect, it } from "vitest";
import { BranchCache, keyOf } from "./branch-cache.ts";

it("R3: the key names the functions and the branch, and no two scopes share one", () => {
  expect(keyOf({ tenant: "acme", branch: "dev" })).toBe("fn:acme/head|branch:dev");
  expect(keyOf({ tenant: "acme", branch: "dev" }, "abc")).toBe("fn:acme/abc|branch:dev");
  const scopes = ["a", "a-b", "b"].flatMap((tenant) => ["main", "dev", "a.b", "a_b", "head"].map((branch) => ({ tenant, branch })));
  expect(new Set(scopes.flatMap((scope) => [keyOf(scope), keyOf(scope, "v")])).size).toBe(scopes.length * 2);
});

it("R3: nothing that was read for a branch is served for another", async () => {
  const cache = new BranchCache(({ branch }) => Promise.resolve({ functions: undefined, environment: { WHERE: branch }, bytes: 1 }));
  for (const branch of ["main", "dev", "main"])
    expect((await cache.get({ tenant: "default", branch })).environment).toEqual({ WHERE: branch });
});
