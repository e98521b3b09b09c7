/** What the kernel says of a process. All reads are of /proc: a few microseconds, no disk. */
import { readFileSync } from "node:fs";

/** Pages are 4, 16 or 64 KiB; the kernel gives this process's size in both units. */
const PAGE_BYTES = measurePageBytes();
/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Memory that the process does not share, in bytes; undefined when it is gone. */
export function privateBytes(pid: number): number | undefined {
  const fields = read(`/proc/${pid}/statm`)?.split(" ");
  if (fields === undefined) return undefined;
  return (Number(fields[1]) - Number(fields[2])) * PAGE_BYTES;
}

/** Writable private address space, which RLIMIT_DATA counts, in bytes. */
export function dataBytes(pid: number): number | undefined {
  const kib = /^VmData:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** CPU time of all threads in milliseconds. */
export function cpuMs(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Tells a process from a later one with the same id. */
export function startTicks(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

/** Whether the process is there and not just waiting to be reaped. */
export function isAlive(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Children of a process whose children its main thread made, as bubblewrap's are. */
export function childrenOf(pid: number): readonly number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`)?.trim() ?? "";
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Fields of /proc/pid/stat after the name, which may itself hold spaces and parentheses. */
function statFields(pid: number): readonly string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function measurePageBytes(): number {
  const pages = Number(read("/proc/self/statm")?.split(" ")[1]);
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(read("/proc/self/status") ?? "")?.[1]);
  const bytes = (kib * 1024) / pages;
  return [4096, 16_384, 65_536].find((size) => bytes < size * 2) ?? 4096;
}
