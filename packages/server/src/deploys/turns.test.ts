import { describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { BranchCache, type BranchState } from "./branch-cache.ts";
import { Turns } from "./turns.ts";

describe("turns", () => {
  it("lets bodies of one key happen one after the other, also after a failure", async () => {
    const turns = new Turns();
    const events: string[] = [];
    const body =
      (name: string, fail = false) =>
      async () => {
        events.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        events.push(`${name} ends`);
        if (fail) throw new Error(name);
      };
    const results = await Promise.allSettled([turns.take("k", body("a", true)), turns.take("k", body("b")), turns.take("k", body("c"))]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("bounds how many wait", async () => {
    const turns = new Turns();
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const taken = Array.from({ length: 30 }, () => turns.take("k", () => gate));
    const settled = Promise.allSettled(taken);
    open();
    const refused = (await settled).filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(30 - 17);
  });

  it("counts those that wait now, however long the line has been busy", async () => {
    const turns = new Turns();
    const ends: (() => void)[] = [];
    const body = () => new Promise<void>((resolve) => ends.push(resolve));
    const taken = [turns.take("k", body)];
    for (let i = 0; i < 40; i++) {
      taken.push(turns.take("k", body));
      ends[i]?.();
      await taken[i];
      await new Promise((resolve) => setImmediate(resolve));
    }
    ends[40]?.();
    expect((await Promise.allSettled(taken)).every((result) => result.status === "fulfilled")).toBe(true);
  });
});

describe("C1: the branch cache", () => {
  const scope = { tenant: "t", branch: "main" };
  const state = (name: string): BranchState => ({ functions: undefined, environment: { name }, bytes: 0 });

  it("never serves what was read before a change, after it", async () => {
    let current = "old";
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const cache = new BranchCache(async () => {
      const read = current;
      await gate;
      return state(read);
    });
    const early = cache.get(scope);
    current = "new";
    cache.forget(scope);
    release();
    expect((await cache.get(scope)).environment["name"]).toBe("new");
    expect((await early).environment["name"]).toBe("old");
    expect((await cache.get(scope)).environment["name"]).toBe("new");
  });

  it("keeps what fits the memory, the last used ones", async () => {
    const loads: string[] = [];
    const cache = new BranchCache(async ({ tenant }) => {
      loads.push(tenant);
      return { ...state(tenant), bytes: limit("cachedHeadsBytesMax") / 2 };
    });
    const get = (tenant: string) => cache.get({ tenant, branch: "main" });
    for (const tenant of ["a", "b", "a", "c", "a", "b"]) await get(tenant);
    expect(loads).toEqual(["a", "b", "c", "b"]);
    cache.forget({ tenant: "a", branch: "main" });
    for (const tenant of ["c", "b"]) await get(tenant);
    expect(loads).toEqual(["a", "b", "c", "b", "c"]);
  });

  it("reads again after a failure", async () => {
    let fail = true;
    const cache = new BranchCache(async () => {
      if (fail) throw new Error("disk");
      return state("read");
    });
    await expect(cache.get(scope)).rejects.toThrow("disk");
    fail = false;
    expect((await cache.get(scope)).environment["name"]).toBe("read");
  });
});
