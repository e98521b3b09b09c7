import fc from "fast-check";
import { expect, test } from "vitest";
import { createTelemetry } from "../telemetry/telemetry.ts";
import type { CallRun } from "./call-run.ts";
import { Lifecycle, type LifecycleHook } from "./lifecycle.ts";
import type { EngineParts } from "./parts.ts";
import type { InvocationOutcome } from "./invocation.ts";

// The lifecycle reads nothing else of its surroundings.
const parts = { telemetry: createTelemetry({ logLevel: "silent" }) } as unknown as EngineParts;
const run = { accepted: { kind: "handler", id: "1" }, throwIfAborted: () => undefined } as unknown as CallRun;
const outcome = { status: "succeeded" } as unknown as InvocationOutcome;

/** Hooks that note what they do and fail where they are told to. */
function hooks(count: number, fails: { readonly before?: number; readonly giveBack?: number; readonly after?: number }) {
  const done: string[] = [];
  const list: LifecycleHook[] = Array.from({ length: count }, (_, index) => ({
    name: String(index),
    before: async () => {
      if (fails.before === index) throw new Error(`before ${index}`);
      done.push(`take ${index}`);
      return () => {
        done.push(`give ${index}`);
        if (fails.giveBack === index) throw new Error(`give ${index}`);
      };
    },
    after: () => {
      done.push(`after ${index}`);
      if (fails.after === index) throw new Error(`after ${index}`);
    },
  }));
  return { done, list };
}

test("C1 C2 whatever fails, what was taken is given back once, in reverse, and nothing else is", async () => {
  const point = fc.option(fc.nat({ max: 5 }), { nil: -1 });
  await fc.assert(
    fc.asyncProperty(point, point, fc.boolean(), async (before, giveBack, bodyFails) => {
      const { done, list } = hooks(6, { before, giveBack });
      const body = async (): Promise<string> => {
        done.push("body");
        if (bodyFails) throw new Error("body");
        return await Promise.resolve("result");
      };
      const ended = await new Lifecycle(parts, list).around(run, body).catch((error: unknown) => error);
      const takers = before === -1 ? 6 : before;
      const taken = Array.from({ length: takers }, (_, index) => index);
      expect(done).toEqual([
        ...taken.map((index) => `take ${index}`),
        ...(before === -1 ? ["body"] : []),
        ...taken.toReversed().map((index) => `give ${index}`),
      ]);
      if (before !== -1) expect(ended).toEqual(new Error(`before ${before}`));
      else expect(ended).toEqual(bodyFails ? new Error("body") : "result");
    }),
  );
});

test("C2 a call that is cancelled between two hooks takes nothing more and gives back what it has", async () => {
  const { done, list } = hooks(3, {});
  let checks = 0;
  const cancelled = {
    accepted: run.accepted,
    throwIfAborted: () => {
      if (++checks === 2) throw new Error("cancelled");
    },
  } as unknown as CallRun;
  await expect(new Lifecycle(parts, list).around(cancelled, () => Promise.resolve())).rejects.toThrow("cancelled");
  expect(done).toEqual(["take 0", "take 1", "give 1", "give 0"]);
});

test("C3 every hook hears of the end, also when one of them fails", () => {
  for (let after = 0; after < 4; after++) {
    const { done, list } = hooks(4, { after });
    new Lifecycle(parts, list).ended(run, outcome, false);
    expect(done).toEqual(["after 0", "after 1", "after 2", "after 3"]);
  }
});

test("hooks of other kinds of functions are left out, and kinds without hooks wait for nothing", async () => {
  const { done, list } = hooks(1, {});
  const lifecycle = new Lifecycle(
    parts,
    list.map((hook) => ({ ...hook, kinds: ["inline"] as const })),
  );
  expect([lifecycle.prepares("handler"), lifecycle.prepares("inline")]).toEqual([false, true]);
  await lifecycle.around(run, () => Promise.resolve());
  lifecycle.ended(run, outcome, false);
  expect(done).toEqual([]);
});
