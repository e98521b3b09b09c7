import { join } from "node:path";
import { AiEndpoints } from "../packages/server/src/ai/ai-endpoints.ts";
import { aiDefaults } from "../packages/server/src/ai/ai-settings.ts";
import { configWith } from "../packages/server/src/config.ts";
import type { OperationCall } from "../packages/server/src/operations/operations.ts";
import { openOperations } from "../packages/server/src/operations/open-operations.ts";
import { openSearch } from "../packages/server/src/search/open-search.ts";
import { createBundler } from "../packages/cli/src/bundle/bundle.ts";
import { removeFolder, SCOPE, startEngineHost, value } from "../tests/engine/engine-host.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { measureEcho } from "./raw-http.ts";

const RUNS = 3;
const RUN_MS = 2000;
const CLIENTS = 16;
const GOAL_MS = 5;
const TEXT = "x".repeat(200);

/** `ExecuteOperation` of an operation whose code is the host's, which reads one document; never answered from the cache. */
export const operationNative: Bench = async () => {
  const inside = await measureInside();
  const host = await startBenchHost(["--no-query-cache"]);
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: TEXT });
    const load = (clients: number) =>
      run({
        url: new URL(`${host.connection.url}/v1/operations/get_thing/execute`),
        clients,
        durationMs: RUN_MS,
        bodies: [JSON.stringify({ input: { _id: id } })],
        headers: { authorization: `Bearer ${host.connection.key ?? ""}` },
        check: (body) => {
          if (!body.includes(TEXT)) throw new Error(body);
        },
      });
    await load(CLIENTS);
    const single = await medianRun(
      RUNS,
      () => load(1),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const many = await medianRun(
      RUNS,
      () => load(CLIENTS),
      ({ perSecond }) => perSecond,
    );
    const echo = await measureEcho();
    return {
      name: "operation-native",
      unit: "ms",
      p50: rounded(percentile(single.latenciesMs, 0.5)),
      p99: rounded(percentile(single.latenciesMs, 0.99)),
      perSecond: rounded(many.perSecond),
      raw: { what: "node:http echo", p50: rounded(echo.p50), perSecond: rounded(echo.perSecond) },
      ratio: rounded(many.perSecond / echo.perSecond),
      details: {
        "goal of p99, ms": GOAL_MS,
        [`p99 of ${CLIENTS} clients, ms`]: rounded(percentile(many.latenciesMs, 0.99)),
        "in process p50, ms": rounded(percentile(inside.latenciesMs, 0.5)),
        "in process p99, ms": rounded(percentile(inside.latenciesMs, 0.99)),
        "in process per second": rounded(inside.perSecond),
      },
    };
  } finally {
    await host.stop();
  }
};

/** Without a door: one call after the other. */
async function measureInside(): Promise<{ readonly latenciesMs: readonly number[]; readonly perSecond: number }> {
  const natives = Promise.withResolvers<ReturnType<typeof openOperations>>();
  const host = await startEngineHost({
    deploy: false,
    config: { queryCacheBytes: 0 },
    natives: { resolve: async (scope, path) => await (await natives.promise).codes.resolve(scope, path) },
  });
  const { database, store, runtime } = host;
  const search = openSearch({ database, store, runtime });
  try {
    const bundler = createBundler(join(import.meta.dirname, "convex"));
    await host.deploys.deploy(SCOPE, await bundler.bundle());
    await bundler.dispose();
    const ai = new AiEndpoints({
      defaults: aiDefaults(configWith({})),
      keyrings: { keyrings: () => Promise.reject(new Error("there are none")) },
    });
    const operations = openOperations({ database, engine: () => host.engine, native: { runtime, ai, search } });
    natives.resolve(operations);
    const id = await value(host, "things:insert", { text: TEXT });
    const call: OperationCall = {
      scope: SCOPE,
      actor: { kind: "key", keyId: "bench", scopes: ["admin"] },
      operation: "get_thing",
      source: "native",
      input: { _id: String(id) },
    };
    const measure = async () => {
      const latenciesMs: number[] = [];
      const startMs = performance.now();
      while (performance.now() - startMs < RUN_MS) {
        const fromMs = performance.now();
        const { result } = await operations.execute(call);
        latenciesMs.push(performance.now() - fromMs);
        if (result.kind === "error") throw new Error(result.error.message);
      }
      return { latenciesMs: latenciesMs.sort((a, b) => a - b), perSecond: latenciesMs.length / ((performance.now() - startMs) / 1000) };
    };
    await measure();
    return await medianRun(RUNS, measure, ({ perSecond }) => perSecond);
  } finally {
    search.close();
    await host.stop();
    await removeFolder(host);
  }
}
