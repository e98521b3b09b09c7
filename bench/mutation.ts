import { medianRun, rounded, type Bench } from "./bench.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { measureGrouped } from "./store-commit.ts";

const CLIENTS = 32;

/** A mutation with one read and one insert, durable before it answers, from 32 clients. */
export const mutation: Bench = async () => {
  const host = await startBenchHost();
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "first" });
    const bodies = Array.from({ length: 64 }, (_, i) =>
      JSON.stringify({ path: "things:readAndInsert", args: { id, text: `text ${i}` }, format: "json" }),
    );
    const load = (durationMs: number) =>
      run({
        url: new URL(`${host.connection.url}/api/mutation`),
        clients: CLIENTS,
        durationMs,
        bodies,
        check: (body) => {
          if (!body.includes('"status":"success"')) throw new Error(body);
        },
      });
    await load(2000);
    const measured = await medianRun(
      5,
      () => load(3000),
      ({ perSecond }) => perSecond,
    );
    const raw = await measureGrouped();
    return {
      name: "mutation",
      unit: "ms",
      p50: rounded(percentile(measured.latenciesMs, 0.5)),
      p99: rounded(percentile(measured.latenciesMs, 0.99)),
      perSecond: rounded(measured.perSecond),
      raw: { what: "grouped durable commits of the store, 32 clients", perSecond: rounded(raw.perSecond) },
      ratio: rounded(measured.perSecond / raw.perSecond),
    };
  } finally {
    await host.stop();
  }
};
