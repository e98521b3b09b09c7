/** Runs outlive crashes of the host, hang no longer than they may, and go with their package. */
import { afterEach, expect, it } from "vitest";
import { call, type Json } from "../../packages/cli/src/client.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";
import { createUnit, freePort, must, plan, settled, startRun, startSyncHost, type SyncHost } from "./sync-host.ts";
import { SYNC_PACKAGE } from "./test-package.ts";

let host: SyncHost | undefined;
let process: LocalHost | undefined;
afterEach(async () => {
  await host?.remove();
  await process?.stop();
  host = process = undefined;
});

it("a run goes on when its host was killed in the middle of a call", { timeout: 120_000 }, async () => {
  const port = await freePort();
  process = await startLocalHost(["--port", String(port)]);
  const ask = async (path: string, body?: Json): Promise<Record<string, string>> =>
    (await call(theHost(process).connection, path, body === undefined ? {} : { body })) as Record<string, string>;
  const pushed = await fetch(`${process.connection.url}/v1/packages/syncer/versions`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.connection.key ?? ""}`, "content-type": "application/gzip" },
    body: archiveOf(SYNC_PACKAGE),
  });
  expect(pushed.status).toBe(200);
  const { id: snapIn = "" } = await ask("/v1/snap-ins", { package: "syncer" });
  await ask("/v1/keyrings", { name: "remote", type: "snap_in_secret", fields: { secret: "s" } });
  await ask(`/v1/snap-ins/${snapIn}/configure`, { inputs: { plan: "slow" } });
  await ask(`/v1/snap-ins/${snapIn}/activate`, {});
  const { id: unit = "" } = await ask("/v1/sync/units", { snapIn, import: "things", keyring: "remote", external: { id: "p1" } });
  const { id: run = "" } = await ask(`/v1/sync/units/${unit}/runs`, { mode: "initial" });
  // The slow call has begun.
  for (let call = 0; call < 3;) call = Number((await ask(`/v1/sync/runs/${run}`))["call"]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  process = await process.crash();
  let answer: Record<string, string>;
  do answer = await ask(`/v1/sync/runs/${run}?wait=true`);
  while (["calling", "paused"].includes(answer["status"] ?? ""));
  expect([answer["status"], answer["reason"]]).toEqual(["done", null]);
  const calls = answer["calls"] as unknown as readonly {
    readonly phase: string;
    readonly note: string | null;
    readonly result: string | null;
  }[];
  expect(calls.filter(({ note }) => note !== null)).toEqual([
    expect.objectContaining({ phase: "data", result: null, note: "lost with its process, and made again" }),
  ]);
  const { items } = (await call(process.connection, `/v1/sync/runs/${run}/items?type=issues`)) as unknown as {
    readonly items: readonly { readonly item: { readonly id: string } }[];
  };
  expect(items.map(({ item }) => Number(item.id)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
});

it("a call that does not report in time fails the run and is ended", { timeout: 60_000 }, async () => {
  host = await startSyncHost({ syncReportMs: 1000 });
  await plan(host, "hang");
  const answer = await settled(host, await startRun(host, await createUnit(host, "p1"), { mode: "initial" }));
  expect([textAt(answer, "status"), textAt(answer, "reason")]).toEqual(["failed", "the function did not report within 1 s"]);
  const invocation = textAt(answer, "calls", 0, "invocationId");
  for (let state = "running"; state === "running";) {
    state = textAt(must(await host.send(`/v1/invocations/${invocation}`)), "state");
    expect(["running", "cancelled", "failed"]).toContain(state);
  }
});

it("what a package keeps is deleted with it, after it was asked to tidy up", { timeout: 60_000 }, async () => {
  host = await startSyncHost();
  const unit = await createUnit(host, "p1");
  await settled(host, await startRun(host, unit, { mode: "initial" }));
  must(await host.send(`/v1/snap-ins/${host.snapIn}`, { method: "DELETE" }));
  expect(at(await host.send("/v1/sync/units"), "units")).toEqual([]);
  expect((await host.send(`/v1/sync/units/${unit}`)).status).toBe(404);
  expect((await host.send("/metrics")).text).toContain('plinth_sync_runs_total{mode="DELETE_EXTRACTED",result="done"} 1');
});

function theHost<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there is no host");
  return value;
}
