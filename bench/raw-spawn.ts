import { spawn } from "node:child_process";
import { percentile } from "./load.ts";

/** Median time to start a bare Node process and see it end, in milliseconds. */
export async function measureSpawn(): Promise<number> {
  const timesMs: number[] = [];
  for (let i = 0; i < 15; i += 1) {
    const fromMs = performance.now();
    await new Promise<void>((resolve) => spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }).once("exit", () => resolve()));
    timesMs.push(performance.now() - fromMs);
  }
  return percentile(
    timesMs.sort((a, b) => a - b),
    0.5,
  );
}
