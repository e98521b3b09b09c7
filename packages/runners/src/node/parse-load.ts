/** Reads the body of `load`, which the host wrote. */
import type { PackageLoad } from "@plinth/core/protocol/runner-protocol.ts";
import { PackageError } from "./package-folder.ts";

export function parsePackageLoad(text: string): PackageLoad {
  try {
    const load = JSON.parse(text) as PackageLoad;
    if (Array.isArray(load.functions)) return load;
  } catch {
    // The host's text is no PackageLoad; said below.
  }
  throw new PackageError("The host gave no list of functions.");
}
