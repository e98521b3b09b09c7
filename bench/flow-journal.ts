import { statSync } from "node:fs";
import { join } from "node:path";
import { rounded, type Bench } from "./bench.ts";
import { inARow, publishFlow, startRuns } from "./flow-runs.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";

const STEPS = 20;
const RUNS = 500;
const TEXT = "x".repeat(200);

/** What a run of scripts, and one of mutations, leaves on the disk: the growth of the database file, history included, by step. */
export const flowJournal: Bench = async () => {
  let host = await startBenchHost();
  try {
    await deploy(host.connection);
    const script = { type: "script", data: { code: `return { text: "${TEXT}" };` } };
    const mutation = { type: "invoke", data: { function: "things:insert", input: { text: TEXT } } };
    await publishFlow(host.connection, { name: "scripts", ...inARow(Array.from({ length: STEPS }, () => script)) });
    await publishFlow(host.connection, { name: "mutations", ...inARow(Array.from({ length: STEPS }, () => mutation)) });
    /** The database grows by what its log holds, too, until the host has stopped. */
    const grown = async (body: () => Promise<unknown>): Promise<number> => {
      host = await host.restart();
      const before = fileBytes(host.dataDir);
      await body();
      host = await host.restart();
      return fileBytes(host.dataDir) - before;
    };
    const run = (name: string, count: number) => startRuns(host.connection, { name, count, input: () => null, waitMs: 30_000 });
    const scripts = await grown(() => run("scripts", RUNS));
    const mutations = await grown(() => run("mutations", RUNS));
    const bare = await grown(async () => {
      for (let i = 0; i < RUNS; i += 1) await runBenchFunction(host.connection, "things:insert", { text: TEXT });
    });
    const perStep = scripts / (RUNS * STEPS);
    const output = Buffer.byteLength(JSON.stringify({ text: TEXT }));
    return {
      name: "flow-journal",
      unit: "bytes",
      p50: rounded(perStep),
      p99: rounded(perStep),
      raw: { what: "the JSON of what a step gives", value: output },
      ratio: rounded(output / perStep),
      details: {
        "of a step that is a mutation": rounded(mutations / (RUNS * STEPS)),
        "of the same mutation alone": rounded(bare / RUNS),
      },
    };
  } finally {
    await host.stop();
  }
};

function fileBytes(dataDir: string): number {
  return statSync(join(dataDir, "plinth.db")).size;
}
