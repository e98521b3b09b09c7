/** Says whether the dependencies in a build folder are those that the sources ask for. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

export function stampOf(files: readonly string[], more: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(more));
  for (const file of files) hash.update(`\n${file}\n`).update(existsSync(file) ? readFileSync(file) : "");
  return hash.digest("hex");
}

export function hasStamp(file: string, stamp: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

export function writeStamp(file: string, stamp: string): void {
  writeFileSync(file, stamp);
}
