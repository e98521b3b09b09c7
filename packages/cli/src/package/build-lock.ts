/** One build at a time in a package's folder: two would take each other's files away. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const RETRY_MS = 50;

/** Waits until no other process builds in `folder`, then runs `work` alone. The lock of a process that is gone is void. */
export async function buildAlone<T>(folder: string, update: (text: string) => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, ".lock");
  while (!take(lock)) {
    update("waiting for another build of this package");
    await pause(RETRY_MS);
  }
  const free = (): void => rmSync(lock, { force: true });
  process.once("exit", free);
  try {
    return await work();
  } finally {
    process.off("exit", free);
    free();
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "EEXIST") throw error;
  }
  const holder = holderOf(lock);
  if (holder !== undefined && !isAlive(holder)) rmSync(lock, { force: true });
  return false;
}

/** Undefined while its writer has not come further than creating the file, or when it is gone again. */
function holderOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === "EPERM";
  }
}
