/** What memory the processes of a host take. */
import { readdirSync, readFileSync } from "node:fs";

/** A process and all below it. */
export function treeMiB(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = readOr(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const within = (each: number): boolean => each === pid || (parents.has(each) && within(parents.get(each) ?? 0));
  return [...parents.keys()].filter(within).reduce((sum, each) => sum + processMiB(each), 0);
}

/** Proportional set size; falls back on the resident size where another user's process hides it. */
export function processMiB(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/smaps_rollup`))?.[1];
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/status`))?.[1];
  return Number(pss ?? resident ?? 0) / 1024;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
