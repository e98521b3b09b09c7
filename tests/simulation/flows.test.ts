/**
 * Flows on a simulated clock, with crashes at every commit, a store that refuses, an outside that answers badly, and people who ask for
 * anything (`flows/`). `PLINTH_TEST_SEED=<seed> PLINTH_TEST_SEEDS=1` repeats one seed and prints what happened in it.
 */
import { expect, test } from "vitest";
import { rounds } from "./random.ts";
import { type SimulationResult, SimulationFailure, simulate } from "./flows/simulation.ts";

const given = process.env["PLINTH_TEST_SEED"];
// The same ones each time: a change that breaks nothing fails nobody. The long run, at night, tries others.
const FIRST = given === undefined ? rounds({ ci: 1, long: Math.floor(Math.random() * 2 ** 31) }) : Number(given);
const SEEDS = Number(process.env["PLINTH_TEST_SEEDS"] ?? rounds({ ci: 1000, long: 100_000 }));

async function simulated(seed: number): Promise<SimulationResult> {
  try {
    return await simulate(seed);
  } catch (error) {
    if (SEEDS === 1 && error instanceof SimulationFailure) console.log(error.trace.join("\n"));
    throw error;
  }
}

test(
  `W1 W2 W3 W5 S1 C1 C3 D1 D2 D3 ${SEEDS} simulations from seed ${FIRST}: every run ends, and nothing is lost, done twice or left over`,
  async () => {
    const total = { runs: 0, events: 0, crashes: 0 };
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const { runs, events, lives } = await simulated(seed);
      total.runs += runs;
      total.events += events;
      total.crashes += lives - 1;
    }
    console.log(`${SEEDS} seeds: ${total.runs} runs, ${total.events} events, ${total.crashes} crashes`);
    expect(total.runs).toBeGreaterThan(SEEDS / 2);
  },
  60_000 + SEEDS * 200,
);

test("a seed is always the same simulation", async () => {
  for (const seed of [3, 14, 15]) expect(await simulate(seed)).toEqual(await simulate(seed));
});
