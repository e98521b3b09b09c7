import { medianRun, rounded, type Bench } from "./bench.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { measureEcho } from "./raw-http.ts";

const RUNS = 5;
const DURATION_MS = 3000;

/** A query that reads one document, over HTTP, never answered from the cache: latency with one client, rate with sixteen. */
export const warmQuery: Bench = async () => {
  const host = await startBenchHost(["--no-query-cache"]);
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "x".repeat(200) });
    const load = (clients: number, durationMs: number) =>
      run({
        url: new URL(`${host.connection.url}/api/query`),
        clients,
        durationMs,
        bodies: [JSON.stringify({ path: "things:get", args: { id }, format: "json" })],
        check: (body) => {
          if (!body.includes('"status":"success"')) throw new Error(body);
        },
      });
    await load(16, 2000);
    const single = await medianRun(
      RUNS,
      () => load(1, DURATION_MS),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const many = await medianRun(
      RUNS,
      () => load(16, DURATION_MS),
      ({ perSecond }) => perSecond,
    );
    const echo = await measureEcho();
    const p50 = percentile(single.latenciesMs, 0.5);
    return {
      name: "warm-query",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(single.latenciesMs, 0.99)),
      perSecond: rounded(many.perSecond),
      raw: { what: "node:http echo", p50: rounded(echo.p50), perSecond: rounded(echo.perSecond) },
      ratio: rounded(many.perSecond / echo.perSecond),
      details: { "p50 of 16 clients, ms": rounded(percentile(many.latenciesMs, 0.5)) },
    };
  } finally {
    await host.stop();
  }
};
