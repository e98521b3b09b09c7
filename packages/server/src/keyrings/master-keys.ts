/**
 * The master keys of keyrings: from the configuration, from a file that it names, or made once and kept in the data folder, outside
 * the store. A backup of the store therefore does not hold them.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { KeyRing } from "./encryption.ts";

const HEX = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

export interface MasterKeyOptions {
  /** Text of the keys, or null. */
  readonly given: string | null;
  /** File with the keys, or null. */
  readonly file: string | null;
  readonly dataDir: string;
  readonly runtime: Runtime;
}

export async function openMasterKeys(options: MasterKeyOptions): Promise<KeyRing> {
  const { runtime } = options;
  if (options.given !== null && options.file !== null)
    throw plinthError("BadConfiguration", { detail: "PLINTH_KEYRING_KEY and PLINTH_KEYRING_KEY_FILE are both given" });
  if (options.given !== null) return new KeyRing(parseMasterKeys(options.given, "PLINTH_KEYRING_KEY"), runtime);
  if (options.file !== null) return new KeyRing(await readGivenFile(options.file), runtime);
  return new KeyRing(await readOrMake(options), runtime);
}

/** Keys of 32 bytes in hexadecimal or base64, separated by commas or new lines; the first encrypts. */
export function parseMasterKeys(text: string, source: string): readonly Buffer[] {
  const texts = text.split(/[\s,]+/).filter((part) => part !== "");
  const max = limit("keyringMasterKeysMax");
  const bad = (detail: string) => plinthError("BadConfiguration", { detail: `${source} ${detail}` });
  if (texts.length === 0 || texts.length > max) throw bad(`must hold 1 to ${max} keys`);
  return texts.map((part, i) => {
    const key = HEX.test(part) ? Buffer.from(part, "hex") : BASE64.test(part) ? Buffer.from(part, "base64url") : undefined;
    if (key?.length !== 32) throw bad(`must hold keys of 32 bytes in hexadecimal or base64; number ${i + 1} is none`);
    return key;
  });
}

async function readGivenFile(path: string): Promise<readonly Buffer[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw plinthError(
      "BadConfiguration",
      { detail: `the file of PLINTH_KEYRING_KEY_FILE cannot be read (${codeOf(error)})` },
      { cause: error },
    );
  }
  return parseMasterKeys(text, "the file of PLINTH_KEYRING_KEY_FILE");
}

async function readOrMake({ dataDir, runtime }: MasterKeyOptions): Promise<readonly Buffer[]> {
  const path = join(dataDir, "keyring-key");
  try {
    return parseMasterKeys(await readFile(path, "utf8"), "the file keyring-key of the data folder");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const made = Buffer.from(runtime.randomBytes(32));
  await writeFile(path, `${made.toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
  return [made];
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
