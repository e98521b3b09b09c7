import { rounded, type Bench } from "./bench.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile } from "./load.ts";

const VERSIONS = 40;

/** The first call of a version just deployed, and the deploy itself. Raw is a call of the version before it was replaced. */
export const coldVersion: Bench = async () => {
  const host = await startBenchHost(["--no-query-cache"]);
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "x" });
    const firstMs: number[] = [];
    const warmMs: number[] = [];
    const deployMs: number[] = [];
    const timed = async (into: number[], work: () => Promise<unknown>) => {
      const fromMs = performance.now();
      await work();
      into.push(performance.now() - fromMs);
    };
    for (let i = 0; i < VERSIONS; i += 1) {
      await timed(deployMs, () => deploy(host.connection, `variant ${i}`));
      await timed(firstMs, () => runBenchFunction(host.connection, "things:get", { id }));
      for (let j = 0; j < 5; j += 1) await timed(warmMs, () => runBenchFunction(host.connection, "things:get", { id }));
    }
    const sorted = [firstMs, warmMs, deployMs].map((times) => times.sort((a, b) => a - b));
    const [first = [], warm = [], deploys = []] = sorted;
    const p50 = percentile(first, 0.5);
    return {
      name: "cold-version",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(first, 0.99)),
      raw: { what: "warm call", p50: rounded(percentile(warm, 0.5)) },
      ratio: rounded(percentile(warm, 0.5) / p50),
      details: { "deploy p50, ms": rounded(percentile(deploys, 0.5)) },
    };
  } finally {
    await host.stop();
  }
};
