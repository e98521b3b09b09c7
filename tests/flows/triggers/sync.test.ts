/** Flows that sync runs start. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { at, textAt } from "../../../packages/server/src/doors/test/test-host.ts";
import { eventually } from "../../events/event-host.ts";
import { createUnit, must, settled, startRun, startSyncHost, type SyncHost } from "../../sync/sync-host.ts";
import { ECHO } from "./flow-host.ts";

let host: SyncHost;
beforeAll(async () => {
  host = await startSyncHost();
}, 120_000);
afterAll(() => host.remove());

async function publish(name: string, trigger: object): Promise<void> {
  const definition = { format: 1, name, trigger, start: "give", nodes: ECHO };
  must(await host.send("/v1/flows", { body: { definition } }));
}

async function outputOf(flow: string): Promise<unknown> {
  return await eventually(async () => {
    const [run, ...others] = at(must(await host.send(`/v1/flow-runs?flow=${flow}`)), "runs") as readonly { readonly id: string }[];
    expect(others).toEqual([]);
    const detail = run === undefined ? undefined : must(await host.send(`/v1/flow-runs/${run.id}`));
    return detail !== undefined && textAt(detail, "status") === "completed" ? at(detail, "output") : undefined;
  }, `the run of ${flow}`);
}

it("the start and the end of a sync run start flows, as their filters say", { timeout: 120_000 }, async () => {
  await publish("begun", { type: "sync", data: { on: "started" } });
  await publish("done", { type: "sync", data: { on: "ended" }, filter: 'trigger.status == "done" && trigger.import == "things"' });
  await publish("lost", { type: "sync", data: { on: "ended" }, filter: 'trigger.status == "failed"' });
  const unit = await createUnit(host, "p2");
  const run = await startRun(host, unit, { mode: "initial" });
  expect(textAt(await settled(host, run), "status")).toBe("done");
  expect(await outputOf("begun")).toMatchObject({ run, unit, status: "calling", mode: "INITIAL", endedAt: null });
  expect(await outputOf("done")).toMatchObject({ run, unit, import: "things", status: "done" });
  expect(at(must(await host.send("/v1/flow-runs?flow=lost")), "runs")).toEqual([]);
});
