/**
 * Files that whoever started the host left open by accident: they would be open in every jail too, because only what is marked
 * close-on-exec ends there. Node marks all of its own, and of what it inherits only the lowest numbers, so what is not marked is a
 * stranger's.
 */
import { closeSync, readdirSync, readFileSync } from "node:fs";

const CLOSE_ON_EXEC = 0o2000000;

/** Closes them; returns their numbers. Standard input, output and error stay. */
export function closeInheritedFiles(): readonly number[] {
  const closed: number[] = [];
  for (const name of listOpen()) {
    const fd = Number(name);
    if (fd < 3 || isMarked(fd)) continue;
    try {
      closeSync(fd);
      closed.push(fd);
    } catch {
      // It was the folder that was being listed, and is closed already.
    }
  }
  return closed;
}

function listOpen(): readonly string[] {
  try {
    return readdirSync("/proc/self/fd");
  } catch {
    return [];
  }
}

/** What cannot be read is taken for ours. */
function isMarked(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return true;
  }
}
