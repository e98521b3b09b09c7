/**
 * `npm run -s bench -- <name> …` prints a JSON line for each; without a name all run and `bench/RESULTS.md` is drawn. `--draw` draws the
 * rows of those that are named.
 */
import { cpus, release } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Figure } from "./bench.ts";
import { activate } from "./activate.ts";
import { branchCopy } from "./branch-copy.ts";
import { coldTenant } from "./cold-tenant.ts";
import { coldVersion } from "./cold-version.ts";
import { command } from "./command.ts";
import { deployLarge } from "./deploy-large.ts";
import { eventToAutomation } from "./event-to-automation.ts";
import { flood } from "./flood.ts";
import { flowFanout100 } from "./flow-fanout100.ts";
import { flowFib40 } from "./flow-fib40.ts";
import { flowJournal } from "./flow-journal.ts";
import { flowMutation3 } from "./flow-mutation3.ts";
import { flowNative3 } from "./flow-native3.ts";
import { flowRecovery } from "./flow-recovery.ts";
import { flowSleepers } from "./flow-sleepers.ts";
import { flowWebhookScript } from "./flow-webhook-script.ts";
import { grpcExecute } from "./grpc-execute.ts";
import { memory } from "./memory.ts";
import { mutation } from "./mutation.ts";
import { nodeCold } from "./node-cold.ts";
import { nodeWarm } from "./node-warm.ts";
import { operationNative } from "./operation-native.ts";
import { pythonCold } from "./python-cold.ts";
import { pythonInline } from "./python-inline.ts";
import { pythonWarm } from "./python-warm.ts";
import { skillMcp } from "./skill-mcp.ts";
import { search } from "./search.ts";
import { storeCommit } from "./store-commit.ts";
import { syncPhase } from "./sync-phase.ts";
import { warmQuery } from "./warm-query.ts";
import { wasmWarm } from "./wasm-warm.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  "warm-query": warmQuery,
  mutation,
  "cold-tenant": coldTenant,
  "cold-version": coldVersion,
  memory,
  "store-commit": storeCommit,
  "branch-copy": branchCopy,
  "wasm-warm": wasmWarm,
  "node-warm": nodeWarm,
  "node-cold": nodeCold,
  "python-warm": pythonWarm,
  "python-cold": pythonCold,
  "python-inline": pythonInline,
  command,
  "operation-native": operationNative,
  search,
  activate,
  "deploy-large": deployLarge,
  "grpc-execute": grpcExecute,
  "skill-mcp": skillMcp,
  "event-to-automation": eventToAutomation,
  "sync-phase": syncPhase,
  flood,
  "flow-fib40": flowFib40,
  "flow-native3": flowNative3,
  "flow-mutation3": flowMutation3,
  "flow-webhook-script": flowWebhookScript,
  "flow-fanout100": flowFanout100,
  "flow-sleepers": flowSleepers,
  "flow-recovery": flowRecovery,
  "flow-journal": flowJournal,
};

const given = process.argv.slice(2);
const names = given.filter((each) => each !== "--draw");
const unknown = names.find((each) => BENCHES[each] === undefined);
if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}'; there are ${Object.keys(BENCHES).join(", ")}.`);
  process.exit(4);
}
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.error(`${name} …`);
  const figure = await bench();
  console.log(JSON.stringify(figure));
  figures.push(figure);
}
if (names.length === 0 || given.includes("--draw")) {
  const file = join(import.meta.dirname, "RESULTS.md");
  const page = readFileSync(file, "utf8");
  const rows = new Map(figures.map((figure) => [figure.name, rowOf(figure)]));
  writeFileSync(file, resultsPage(Object.keys(BENCHES).flatMap((name) => rows.get(name) ?? rowIn(page, name) ?? [])) + notesOf(page));
  console.error("bench/RESULTS.md is drawn.");
}
process.exit(0);

function rowIn(page: string, name: string): string | undefined {
  return page.split("\n").find((line) => line.startsWith(`| ${name} |`));
}

/** What people wrote below the figures stays. */
function notesOf(page: string): string {
  const at = page.indexOf("\n## Notes\n");
  return at < 0 ? "" : page.slice(at);
}

function rowOf({ name, unit, p50, p99, perSecond, raw, ratio, details }: Figure): string {
  const rawText = [
    raw.what,
    raw.p50 === undefined ? "" : `p50 ${raw.p50} ${unit}`,
    raw.perSecond === undefined ? "" : `${raw.perSecond}/s`,
    raw.value === undefined ? "" : `${raw.value} ${unit}`,
  ];
  const detailText = Object.entries(details ?? {}).map(([key, value]) => `${key} ${value}`);
  return `| ${name} | ${p50} ${unit} | ${p99} ${unit} | ${perSecond ?? ""} | ${rawText.filter((text) => text !== "").join(", ")} | ${ratio} | ${detailText.join(", ")} |`;
}

function resultsPage(rows: readonly string[]): string {
  return `# Benchmarks

Drawn by \`npm run bench\` on ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}, Linux ${release()}, Node ${process.version}.
Everything runs on this one machine: the host, the runners in their jails, and the load generator. Commits are durable
(full sync). Each figure is the median of several runs; *raw* is what the machine does without Plinth, measured in the same
run, and *ratio* compares with it (1 would be no overhead).

| benchmark | p50 | p99 | per second | raw | ratio | details |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}
