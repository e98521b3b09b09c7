/** Calls of a handler whose processes run: what `node-warm` and `python-warm` have in common. */
import { medianRun, rounded, type Figure } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { ARGS, functionPath, push, type PackageFolder } from "./packages.ts";
import { expectAnswer, measureRawHandlers } from "./raw-handlers.ts";

const CLIENTS = 8;
const CROWD = 32;
const RUNS = 3;
const RUN_MS = 2000;

export async function measureWarmHandler(options: {
  readonly name: string;
  readonly folder: PackageFolder & ("node" | "python");
  readonly change?: (path: string, text: string) => string;
  readonly goalMs?: number;
}): Promise<Figure> {
  const { name, folder, change, goalMs } = options;
  const host = await startBenchHost();
  try {
    await push(host.connection, { folder, name: "bench", ...(change === undefined ? {} : { change }) });
    const load = (clients: number, durationMs: number) =>
      run({
        url: new URL(host.connection.url + functionPath("bench")),
        clients,
        durationMs,
        bodies: [JSON.stringify({ args: ARGS })],
        headers: { authorization: `Bearer ${host.connection.key ?? ""}` },
        check: expectAnswer,
      });
    const several = (clients: number) =>
      medianRun(
        RUNS,
        () => load(clients, RUN_MS),
        ({ perSecond }) => perSecond,
      );
    await load(CLIENTS, 2000);
    const single = await several(1);
    const many = await several(CLIENTS);
    const crowd = await load(CROWD, RUN_MS);
    const raw = await medianRun(
      RUNS,
      () => measureRawHandlers(folder, CLIENTS),
      ({ p50 }) => p50,
    );
    const p50 = percentile(single.latenciesMs, 0.5);
    return {
      name,
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(single.latenciesMs, 0.99)),
      perSecond: Math.round(many.perSecond),
      raw: {
        what: `the same handler in plain ${folder}, behind node:http and a socket`,
        p50: rounded(raw.p50),
        perSecond: Math.round(raw.perSecond),
      },
      ratio: rounded(raw.p50 / p50),
      details: {
        "overhead p50, ms": rounded(p50 - raw.p50),
        ...(goalMs === undefined ? {} : { "goal of overhead, ms": goalMs }),
        "per second of 1 client": Math.round(single.perSecond),
        [`p50 of ${CLIENTS} clients, ms`]: rounded(percentile(many.latenciesMs, 0.5)),
        [`p99 of ${CLIENTS} clients, ms`]: rounded(percentile(many.latenciesMs, 0.99)),
        [`p50 of ${CROWD} clients, ms`]: rounded(percentile(crowd.latenciesMs, 0.5)),
        [`p99 of ${CROWD} clients, ms`]: rounded(percentile(crowd.latenciesMs, 0.99)),
      },
    };
  } finally {
    await host.stop();
  }
}
