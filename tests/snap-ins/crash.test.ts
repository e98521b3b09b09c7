/** The host is killed at each point of each saga; the next one ends it: fully done or fully undone. */
import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EVENT_SOURCES, QUEUES, SAGAS, SERVICE_ACCOUNTS, SNAP_INS } from "../../packages/server/src/database/record-tables.ts";
import { SAGA_PLANS } from "../../packages/server/src/snap-ins/steps/table.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";

const LONG = process.env["PLINTH_TEST_LONG"] === "1";
const KINDS = ["activate", "deactivate", "upgrade"] as const;

interface Point {
  readonly kind: (typeof KINDS)[number];
  readonly step: string;
  readonly when: "before" | "outside" | "applied" | "undo" | "undone";
  /** The step that fails first, so that the saga is being undone at the point. */
  readonly failing?: string;
}

function points(): readonly Point[] {
  const all = KINDS.flatMap((kind) => {
    const { steps } = SAGA_PLANS[kind];
    const forward = steps.flatMap(({ name }) => (["outside", "applied"] as const).map((when) => ({ kind, step: name, when })));
    const last = steps.at(-1)?.name ?? "";
    const back = steps
      .slice(0, -1)
      .flatMap(({ name }) => (["undo", "undone"] as const).map((when) => ({ kind, step: name, when, failing: last })));
    return [...forward, ...back];
  });
  // Each point in the long run; otherwise some of each kind, the same each time.
  return LONG ? all : all.filter((_, index) => index % 7 === 0);
}

function crash(folder: string, point: Point): Promise<NodeJS.Signals | number | null> {
  const args = [join(import.meta.dirname, "crash-host.ts"), folder, point.kind, point.step, point.when, point.failing ?? ""];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
}

async function resources(host: SnapInHost, id: string) {
  return await host.database.read(SCOPE, async ({ records }) => ({
    saga: await records.get(SAGAS, [SCOPE.tenant, SCOPE.branch, id]),
    sources: (await records.range(EVENT_SOURCES, { prefix: [id], limit: 100 })).filter(({ value }) => value.enabled).length,
    accounts: (await records.range(SERVICE_ACCOUNTS, { prefix: [], limit: 100 })).length,
    queue: (await records.get(QUEUES, [id])) !== undefined,
  }));
}

for (const point of points()) {
  const at = `${point.kind} at ${point.step} (${point.when}${point.failing === undefined ? "" : `, after ${point.failing} failed`})`;
  test(`a host that dies in ${at} leaves nothing half done`, { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "plinth-crash-"));
    expect(await crash(folder, point)).toBe("SIGKILL");
    const host = await startSnapInHost({ folder });
    try {
      await host.snapIns.start();
      const [found] = await host.snapIns.list(SCOPE);
      const id = found?.id ?? "";
      for (let tries = 0; (await resources(host, id)).saga !== undefined; tries++) {
        if (tries > 400) throw new Error("the saga does not end");
        await host.runtime.sleep(20);
      }
      const row = await host.database.read(SCOPE, ({ records }) => records.get(SNAP_INS, [id]));
      const left = await resources(host, id);
      const ledger = await host.packages.ledger(SCOPE, "tester");
      const upgraded = row?.version !== ledger.find(({ seq }) => seq === 1)?.version;
      if (row?.state === "active") {
        expect(left).toMatchObject({ accounts: 1, queue: true });
        expect(left.sources).toBe(upgraded ? 3 : 2);
        expect(Object.keys(row.tags)).toEqual(["seen"]);
        expect(row.serviceAccountId).not.toBeNull();
      } else {
        expect(["error", "inactive"]).toContain(row?.state);
        expect(left).toEqual({ saga: undefined, sources: 0, accounts: 0, queue: false });
        expect(row?.serviceAccountId).toBeNull();
      }
      if (point.kind !== "activate" && point.failing !== undefined) expect(row?.state).toBe("active");
    } finally {
      await host.stop();
      await host.remove();
    }
  });
}
