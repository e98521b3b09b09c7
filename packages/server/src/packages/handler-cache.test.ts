import { expect, it } from "vitest";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import { HandlerCache } from "./handler-cache.ts";

const MAIN = { tenant: "a", branch: "main" };
const DEV = { tenant: "a", branch: "dev" };
const fn = (path: string): ResolvedFunction => ({
  path,
  kind: "handler",
  visibility: "internal",
  args: {},
  returns: {},
  version: { digest: path, script: () => Promise.resolve(""), sourceMap: () => Promise.resolve(null) },
});

it("C1 never serves what was read before a head moved, after it", async () => {
  const cache = new HandlerCache();
  const gate = Promise.withResolvers<void>();
  const early = cache.get(MAIN, "@p/f", () => gate.promise.then(() => fn("old")));
  cache.forget(MAIN);
  gate.resolve();
  expect((await cache.get(MAIN, "@p/f", () => Promise.resolve(fn("new"))))?.path).toBe("new");
  expect((await early)?.path).toBe("old");
  expect((await cache.get(MAIN, "@p/f", () => Promise.resolve(fn("newer"))))?.path).toBe("new");
});

it("keeps branches and tenants apart, and no misses or failures", async () => {
  const cache = new HandlerCache();
  const read = async (scope: typeof MAIN, answer: string) => (await cache.get(scope, "@p/f", () => Promise.resolve(fn(answer))))?.path;
  expect([await read(MAIN, "main"), await read(DEV, "dev"), await read({ ...MAIN, tenant: "b" }, "b")]).toEqual(["main", "dev", "b"]);
  cache.forget(DEV);
  expect([await read(MAIN, "x"), await read(DEV, "y")]).toEqual(["main", "y"]);
  expect(await cache.get(MAIN, "@p/g", () => Promise.resolve(undefined))).toBeUndefined();
  await expect(cache.get(MAIN, "@p/h", () => Promise.reject(new Error("disk")))).rejects.toThrow("disk");
  expect((await cache.get(MAIN, "@p/g", () => Promise.resolve(fn("g"))))?.path).toBe("g");
  expect((await cache.get(MAIN, "@p/h", () => Promise.resolve(fn("h"))))?.path).toBe("h");
});
