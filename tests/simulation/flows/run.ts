/** `node tests/simulation/flows/run.ts <first seed> <seeds>`: simulates seed after seed and says what it finds. */
import { SimulationFailure, simulate } from "./simulation.ts";

const [first = "1", count = "1000", more = "5"] = process.argv.slice(2);
const startedMs = performance.now();
const totals = { seeds: 0, failures: 0, runs: 0, events: 0, lives: 0, steps: 0 };
for (let seed = Number(first); seed < Number(first) + Number(count) && totals.failures < Number(more); seed += 1) {
  try {
    const { runs, events, lives, steps } = await simulate(seed);
    totals.runs += runs;
    totals.events += events;
    totals.lives += lives;
    totals.steps += steps;
  } catch (error) {
    totals.failures += 1;
    console.log(error instanceof Error ? error.message : String(error));
    if (Number(count) === 1 && error instanceof SimulationFailure) console.log(error.trace.join("\n"));
  }
  totals.seeds += 1;
}
const seconds = (performance.now() - startedMs) / 1000;
console.log(JSON.stringify({ ...totals, seconds: Math.round(seconds), seedsPerSecond: Math.round(totals.seeds / seconds) }));
