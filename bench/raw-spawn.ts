import { spawn } from "node:child_process";
import { percentile } from "./load.ts";

/** The plainest jail: namespaces of its own over the machine's files, without network and other processes. */
export const PLAIN_JAIL: readonly string[] = ["/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "--"];

/** Median time to start a program (a bare Node process unless told otherwise) and see it end, in milliseconds. */
export async function measureSpawn(command: readonly string[] = [process.execPath, "-e", "0"]): Promise<number> {
  const [program = "", ...args] = command;
  const timesMs: number[] = [];
  for (let i = 0; i < 15; i += 1) {
    const fromMs = performance.now();
    const code = await new Promise((resolve) => spawn(program, args, { stdio: "ignore" }).once("exit", resolve));
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}`);
    timesMs.push(performance.now() - fromMs);
  }
  return percentile(
    timesMs.sort((a, b) => a - b),
    0.5,
  );
}
