import { createServer } from "node:http";
import { rounded, type Bench } from "./bench.ts";
import { inARow, publishFlow, startRuns } from "./flow-runs.ts";
import { startBenchHost } from "./host.ts";
import { run } from "./load.ts";

const RUNS = 10_000;
const BETWEEN_MS = 5;

/** Runs whose calls are under way when the host is killed: from the start of the next one until all of them have gone on. */
export const flowRecovery: Bench = async () => {
  const answered = new Set<string>();
  let isAnswering = false;
  // Before the crash it answers nobody, so that all runs are in the middle of a step.
  const server = createServer((request, response) => {
    request.resume();
    if (!isAnswering) return;
    answered.add(String(request.headers["idempotency-key"]));
    response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  let host = await startBenchHost(["--egress-allow-private", `127.0.0.1:${port}`]);
  try {
    const step = { type: "webhook", data: { url: `http://127.0.0.1:${port}/`, body: { run: "=run.id" } } };
    await publishFlow(host.connection, { name: "open", ...inARow([step]) });
    await startRuns(host.connection, { name: "open", count: RUNS, input: () => null });
    process.kill(host.process.ready.pid, "SIGKILL");
    await host.process.ended;
    isAnswering = true;
    const fromMs = performance.now();
    host = await startBenchHost(["--egress-allow-private", `127.0.0.1:${port}`], host.dataDir);
    const readyMs = performance.now() - fromMs;
    const until = async (count: number): Promise<number> => {
      while (answered.size < count) {
        if (performance.now() - fromMs > 300_000) throw new Error(`${answered.size} of ${RUNS} runs went on`);
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      }
      return performance.now() - fromMs;
    };
    const firstMs = await until(1);
    const halfMs = await until(RUNS / 2);
    const tookMs = await until(RUNS);
    const { perSecond } = await run({
      url: new URL(`http://127.0.0.1:${port}/`),
      clients: 16,
      durationMs: 2000,
      bodies: ["{}"],
      check: () => undefined,
    });
    const requestsMs = (RUNS / perSecond) * 1000;
    return {
      name: "flow-recovery",
      unit: "ms",
      p50: rounded(halfMs),
      p99: rounded(tookMs),
      perSecond: Math.round(RUNS / ((tookMs - readyMs) / 1000)),
      raw: { what: `${RUNS} requests of a bare Node process to the same server, 16 at a time`, value: rounded(requestsMs) },
      ratio: rounded(requestsMs / (tookMs - readyMs)),
      details: {
        "goal, ms": 5000,
        "until the host serves, ms": rounded(readyMs),
        "until the first run goes on, ms": rounded(firstMs),
      },
    };
  } finally {
    await host.stop();
    server.closeAllConnections();
    server.close();
  }
};
