/**
 * The suite `sync`: every package below a folder that extracts or loads goes through whole runs on a host of its own: the first
 * extraction with the choice of a unit, a later one, the loading of what was extracted, and removal with the deletion of its state.
 */
import { resolve } from "node:path";
import { buildPackage } from "../../packages/cli/src/package/build-package.ts";
import { pushPackage } from "../../packages/cli/src/package/push-package.ts";
import { call, field, type Json } from "../../packages/cli/src/client.ts";
import type { Connection } from "../../packages/cli/src/connection.ts";
import { note, print, printJson } from "../../packages/cli/src/output.ts";
import { startLocalHost } from "../local-host.ts";
import type { Suite } from "../conformance.ts";
import { freePort, mustBeValid, runSaga } from "./check-package.ts";
import { findPackages } from "./find-packages.ts";
import { overridesFor } from "./overrides.ts";

interface RunReport {
  readonly mode: string;
  readonly status: string;
  readonly reason: string | null;
  readonly ms: number;
  readonly calls: readonly { readonly phase: string; readonly result: string | null; readonly resumed: boolean; readonly counts: Json }[];
  /** Items by their type. */
  readonly items: Readonly<Record<string, number>>;
}

interface SyncReport {
  readonly folder: string;
  readonly import: string;
  readonly runs: readonly RunReport[];
  readonly error: string | null;
  readonly removed: boolean;
}

const KEYRING = "connection";

export const sync: Suite = async ({ folder, json, only, overrides }) => {
  const { packages } = findPackages(resolve(folder));
  const reports: SyncReport[] = [];
  for (const path of packages.filter((each) => each.includes(only))) reports.push(...(await checkSync(path, overrides)));
  if (json) printJson({ packages: reports } as unknown as Json);
  else for (const report of reports) for (const line of linesOf(report)) print(line);
  return reports.length > 0 && reports.every(hasPassed);
};

function hasPassed({ runs, error, removed }: SyncReport): boolean {
  return error === null && removed && runs.every(({ status }) => status === "done");
}

async function checkSync(folder: string, given: Readonly<Record<string, string>>): Promise<readonly SyncReport[]> {
  mustBeValid(folder);
  const built = await buildPackage(folder, { overrides: overridesFor(`${folder}/code`, given), update: () => undefined });
  const { name, manifest } = built.source;
  const port = await freePort();
  const host = await startLocalHost(["--port", String(port)]);
  try {
    const connection = { ...host.connection, url: `http://127.0.0.1:${port}` };
    await pushPackage(connection, built.archive, { name, update: () => undefined });
    const path = `/v1/snap-ins/${field(await call(connection, "/v1/snap-ins", { body: { package: name } }), "id") ?? ""}`;
    await call(connection, "/v1/keyrings", { body: { name: KEYRING, type: "snap_in_secret", fields: { secret: "placeholder" } } });
    await runSaga(connection, `${path}/activate`, {});
    const reports: SyncReport[] = [];
    for (const spec of manifest.imports) {
      note(`${folder}: ${spec.slug}`);
      reports.push(
        await checkImport(connection, {
          folder,
          snapIn: path.slice("/v1/snap-ins/".length),
          slug: spec.slug,
          loads: spec.loaderFunction !== null,
        }),
      );
    }
    await call(connection, path, { method: "DELETE" });
    const { units } = (await call(connection, "/v1/sync/units")) as { readonly units: readonly Json[] };
    return reports.map((report) => ({ ...report, removed: units.length === 0 }));
  } finally {
    await host.stop();
  }
}

export async function checkImport(
  connection: Connection,
  about: { readonly folder: string; readonly snapIn: string; readonly slug: string; readonly loads: boolean },
): Promise<SyncReport> {
  const runs: RunReport[] = [];
  const report = (error: string | null): SyncReport => ({ folder: about.folder, import: about.slug, runs, error, removed: false });
  try {
    const body = { snapIn: about.snapIn, import: about.slug, keyring: KEYRING };
    const unit = `/v1/sync/units/${field(await call(connection, "/v1/sync/units", { body }), "id") ?? ""}`;
    const first = await startRun(connection, unit, { mode: "initial" });
    runs.push(await finish(connection, unit, first));
    runs.push(await finish(connection, unit, await startRun(connection, unit, { mode: "incremental" })));
    if (about.loads) runs.push(await finish(connection, unit, await startRun(connection, unit, { mode: "loading", fromRun: first.id })));
    return report(null);
  } catch (error) {
    return report(error instanceof Error ? error.message : String(error));
  }
}

interface Started {
  readonly id: string;
  readonly atMs: number;
}

async function startRun(connection: Connection, unit: string, body: Json): Promise<Started> {
  const atMs = performance.now();
  return { id: field(await call(connection, `${unit}/runs`, { body }), "id") ?? "", atMs };
}

/** Chooses the first unit that was found, where one has to be chosen. */
async function finish(connection: Connection, unit: string, { id, atMs }: Started): Promise<RunReport> {
  for (;;) {
    const run = await call(connection, `/v1/sync/runs/${id}?wait=true`);
    const status = field(run, "status") ?? "";
    if (status === "calling" || status === "paused") continue;
    if (status === "choosing") {
      const [found] = await itemsOf(connection, id, "external_sync_units");
      const external = { id: field(found?.item, "id") ?? "", name: field(found?.item, "name") ?? "" };
      await call(connection, `${unit}/choose`, { body: { external } });
      continue;
    }
    const counts: Record<string, number> = {};
    for (const { type } of await itemsOf(connection, id)) counts[type] = (counts[type] ?? 0) + 1;
    const { calls } = run as unknown as RunReport;
    const { mode, reason } = run as unknown as RunReport;
    return { mode, status, reason, ms: Math.round(performance.now() - atMs), calls, items: counts };
  }
}

async function itemsOf(connection: Connection, run: string, type?: string) {
  const query = type === undefined ? "" : `&type=${type}`;
  const page = await call(connection, `/v1/sync/runs/${run}/items?limit=1000${query}`);
  return (page as unknown as { readonly items: readonly { readonly type: string; readonly item: Json }[] }).items;
}

function linesOf(report: SyncReport): readonly string[] {
  return [
    `${hasPassed(report) ? "passed" : "FAILED"} ${report.folder} ${report.import}`,
    ...report.runs.flatMap(({ mode, status, reason, ms, calls, items }) => [
      `  ${mode} ${status} in ${ms} ms${reason === null ? "" : `: ${reason}`}`,
      ...calls.map(
        ({ phase, result, resumed, counts }) =>
          `    ${phase}${resumed ? " (goes on)" : ""}: ${result ?? "-"} ${Array.isArray(counts) && counts.length > 0 ? JSON.stringify(counts) : ""}`,
      ),
      `    items: ${JSON.stringify(items)}`,
    ]),
    ...(report.error === null ? [] : [`  ${report.error}`]),
    ...(report.removed ? [] : ["  its units were not removed with it"]),
  ];
}
