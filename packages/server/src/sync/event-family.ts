/** Which family of event names a package's library knows: the name of the library that it depends on says it. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SyncEventFamily } from "@plinth/core/policy/sync-events.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";

const NEWER = "@devrev/airsync-sdk";
const FIRST = "@devrev/ts-adaas";
const TEXT_BYTES = 256 * 1024;

/** The first family where nothing says otherwise: every release of the first library knows it. */
export async function eventFamilyOf(code: Pick<VersionCode, "package">): Promise<SyncEventFamily> {
  const unpacked = code.package?.folder ?? null;
  if (unpacked === null) return "old";
  const folder = await unpacked();
  try {
    for (const root of [folder.path, join(folder.path, "code")]) {
      if (await hasLibrary(root, FIRST)) return "old";
      if (await hasLibrary(root, NEWER)) return "new";
    }
    return "old";
  } finally {
    folder.release();
  }
}

async function hasLibrary(root: string, name: string): Promise<boolean> {
  if (await exists(join(root, "node_modules", name))) return true;
  for (const file of ["package-lock.json", "package.json"]) if ((await beginningOf(join(root, file))).includes(`"${name}"`)) return true;
  return (await beginningOf(join(root, "package-lock.json"))).includes(`"node_modules/${name}"`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Only searched, never parsed. Dependencies of a package stand at the beginning of its lock file. */
async function beginningOf(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(TEXT_BYTES) });
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
