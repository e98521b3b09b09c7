/** Whole sync runs of a package in its jail, against a real host. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { createUnit, must, plan, settled, startRun, startSyncHost, type SyncHost } from "./sync-host.ts";

let host: SyncHost;
beforeAll(async () => {
  host = await startSyncHost({ syncReportMs: 20_000 });
}, 120_000);
afterAll(async () => {
  await host.remove();
});

interface Call {
  readonly call: number;
  readonly phase: string;
  readonly resumed: boolean;
  readonly result: string | null;
  readonly counts: readonly unknown[];
}

async function ended(run: string) {
  const answer = await settled(host, run);
  return { status: textAt(answer, "status"), reason: at(answer, "reason"), calls: at(answer, "calls") as readonly Call[], answer };
}

async function items(run: string, query = "") {
  return must(await host.send(`/v1/sync/runs/${run}/items${query}`)).json as {
    readonly items: readonly { readonly type: string; readonly item: { readonly id: string; readonly data: unknown } }[];
    readonly next: string | null;
  };
}

describe("extraction", { timeout: 120_000 }, () => {
  it("goes through all phases, waits for the choice of a unit, pauses, and keeps what was extracted", async () => {
    const unit = await createUnit(host);
    const run = await startRun(host, unit, { mode: "initial" });
    const choosing = await settled(host, run);
    expect(at(choosing, "status"), choosing.text).toBe("choosing");
    expect(at(choosing, "waits")).toBe("somebody has to choose one of the external units that were found");
    expect((await items(run, "?type=external_sync_units")).items.map(({ item }) => item.id)).toEqual(["p1", "p2"]);
    // A second run of the unit has to wait.
    expect(await host.send(`/v1/sync/units/${unit}/runs`, { body: { mode: "initial" } })).toMatchObject({
      status: 409,
      json: { code: "SyncInProgress" },
    });
    must(await host.send(`/v1/sync/units/${unit}/choose`, { body: { external: { id: "p2", name: "Two" } } }));
    const { status, reason, calls } = await ended(run);
    expect([status, reason]).toEqual(["done", null]);
    expect(calls.map(({ call, phase, resumed, result }) => `${call} ${phase}${resumed ? " again" : ""}: ${result}`)).toEqual([
      "1 externalUnits: done",
      "2 metadata: done",
      "3 data: progress",
      "4 data again: progress",
      "5 data again: delayed",
      "6 data again: progress",
      "7 data again: done",
      "8 attachments: done",
    ]);
    const extracted = await items(run, "?type=issues");
    expect(extracted.items.map(({ item }) => Number(item.id)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(extracted.items[0]?.item.data).toMatchObject({ key: "s3cret-of-remote" });
    const paged: string[] = [];
    for (let after = ""; ;) {
      const page = await items(run, `?type=issues&limit=2${after}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...page.items.map(({ item }) => item.id));
      if (page.next === null) break;
      after = `&after=${page.next}`;
    }
    expect(paged).toEqual(extracted.items.map(({ item }) => item.id));
    // The second time the unit is known.
    const again = await ended(await startRun(host, unit, { mode: "incremental" }));
    expect([again.status, again.calls[0]?.phase]).toEqual(["done", "metadata"]);

    const loading = await ended(await startRun(host, unit, { mode: "loading", fromRun: run }));
    expect([loading.status, loading.reason]).toEqual(["done", null]);
    expect(loading.calls.map(({ phase }) => phase)).toEqual(["loadData", "loadAttachments"]);
    expect(loading.calls[0]?.counts).toEqual([{ item_type: "issues", created: 6, updated: 0, failed: 0 }]);
    const loadedAgain = await ended(
      await startRun(host, unit, { mode: "loading", items: { issues: [{ id: { devrev: "1" }, data: {} }] } }),
    );
    expect(loadedAgain.calls[0]?.counts).toEqual([{ item_type: "issues", created: 0, updated: 1, failed: 0 }]);
    expect((await host.send("/metrics")).text).toContain('plinth_sync_runs_total{mode="INITIAL",result="done"} 1');
  });

  it.each([
    ["silent", "the function ended without a report"],
    ["error", "asked too often"],
    ["throw", "the function failed: "],
  ])("fails when the package is %s", async (how, reason) => {
    await plan(host, how);
    const { status, reason: said, answer } = await ended(await startRun(host, await createUnit(host, "p1"), { mode: "initial" }));
    expect([status, said]).toEqual(["failed", expect.stringContaining(reason)]);
    expect(answer.text).not.toContain("s3cret-of-remote");
    await plan(host, "");
  });

  it("can be cancelled, and the unit can run again", async () => {
    await plan(host, "hang");
    const unit = await createUnit(host, "p1");
    const run = await startRun(host, unit, { mode: "initial" });
    must(await host.send(`/v1/sync/runs/${run}/cancel`, { body: {} }));
    expect((await ended(run)).status).toBe("cancelled");
    expect(await host.send(`/v1/sync/runs/${run}/cancel`, { body: {} })).toMatchObject({ status: 409, json: { code: "SyncRunEnded" } });
    await plan(host, "");
    expect((await ended(await startRun(host, unit, { mode: "initial" }))).status).toBe("done");
  });
});
