/** The key of the host's operator: given by configuration, or made once and kept in the data folder. */
import { hash, timingSafeEqual } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

export class AdminKey {
  readonly #digest: Buffer;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.#digest = hash("sha256", text, "buffer");
  }

  matches(token: string): boolean {
    return timingSafeEqual(hash("sha256", token, "buffer"), this.#digest);
  }
}

/** Reads the key of the data folder, or makes one that only this user can read. */
export async function openAdminKey(options: {
  readonly given: string | null;
  readonly dataDir: string;
  readonly runtime: Runtime;
}): Promise<AdminKey> {
  if (options.given !== null) return new AdminKey(options.given);
  const path = join(options.dataDir, "admin-key");
  try {
    const stored = (await readFile(path, "utf8")).trim();
    if (stored.length >= 16) return new AdminKey(stored);
    throw plinthError("DataFolderUnusable", { folder: options.dataDir, detail: "its file admin-key holds no key" });
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  const made = `pla_${Buffer.from(options.runtime.randomBytes(32)).toString("base64url")}`;
  await writeFile(path, `${made}\n`, { mode: 0o600, flag: "wx" });
  return new AdminKey(made);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
