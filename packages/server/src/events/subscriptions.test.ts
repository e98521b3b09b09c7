import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import { describe, expect, it } from "vitest";
import type { EventSourceRow } from "../snap-ins/snap-in-records.ts";
import { subscriptionsOf } from "./subscriptions.ts";

function manifestWith(automations: number, types: number): Manifest {
  const eventTypes = Array.from({ length: types }, (_, i) => `custom:t${i}`);
  const all = Array.from({ length: automations }, (_, i) => ({ name: `a${i}`, description: "", source: "s", eventTypes, function: "f" }));
  return { automations: all, functions: [] } as unknown as Manifest;
}

function sourcesOf(count: number, filterJq: string | null): readonly EventSourceRow[] {
  return Array.from({ length: count }, (_, i) => ({ id: `evs_${i}`, snapInId: "s", name: "s", filterJq, user: `u${i}` }) as EventSourceRow);
}

/** What is thrown, and how long it took to find out. */
function refusal(run: () => unknown): { readonly code: string; readonly ms: number } {
  const begun = process.cpuUsage();
  try {
    run();
  } catch (error) {
    if (error instanceof PlinthError) return { code: error.code, ms: process.cpuUsage(begun).user / 1000 };
    throw error;
  }
  return { code: "nothing was thrown", ms: process.cpuUsage(begun).user / 1000 };
}

describe("subscriptions of one snap-in", () => {
  it("are one for each source, automation and type", () => {
    expect(subscriptionsOf(manifestWith(2, 3), sourcesOf(4, ".a"))).toHaveLength(24);
    expect(subscriptionsOf(manifestWith(1, 1), sourcesOf(limit("eventSourcesPerSnapInMax"), null))).toHaveLength(1000);
  });

  it("are refused before they are made when there are more than a commit can hold", () => {
    // Twenty million rows would end the host.
    const many = refusal(() => subscriptionsOf(manifestWith(100, 200), sourcesOf(1000, null)));
    expect(many.code).toBe("LimitExceeded");
    expect(many.ms).toBeLessThan(3000);
    const heavy = refusal(() => subscriptionsOf(manifestWith(10, 100), sourcesOf(1, "x".repeat(limit("manifestJqCharsMax")))));
    expect(heavy.code).toBe("LimitExceeded");
  });
});
