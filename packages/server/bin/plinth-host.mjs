#!/usr/bin/env node
/**
 * Starts the host with a cache of what Node made of its modules: the start takes half the time and the host 35 MB
 * less, because nothing needs the TypeScript stripper. This file is JavaScript for the same reason.
 *
 * What lies in the cache is executed, so its folder has to belong to whoever runs the host, or to root, and nobody
 * else may write there; a shared folder such as /tmp is out of the question.
 */
import { mkdirSync, statSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "..", "..", ".cache", "compile");

try {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  const isOurs = uid === process.getuid?.() || uid === 0;
  if (isOurs && (mode & 0o022) === 0) enableCompileCache(folder);
} catch {
  // A read-only installation: the start only takes longer.
}

await import("../src/main.ts");
