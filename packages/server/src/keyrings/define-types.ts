/** The keyring types of a package, written with whatever makes them the package's. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Records } from "../database/database.ts";
import { KEYRING_TYPES } from "../database/record-tables.ts";

/** Replaces the types of a package; returns those before, so that they can be given back. */
export async function defineKeyringTypes(
  records: Records,
  packageName: string,
  types: readonly KeyringTypeSpec[],
): Promise<readonly KeyringTypeSpec[]> {
  const max = limit("keyringTypesPerPackageMax");
  if (types.length > max) throw plinthError("RequestTooLarge", { what: "list of keyring types", actual: types.length, max });
  const before = await records.range(KEYRING_TYPES, { prefix: [packageName], limit: max });
  for (const { key } of before) records.delete(KEYRING_TYPES, key);
  for (const type of types) records.put(KEYRING_TYPES, [packageName, type.id], type);
  return before.map(({ value }) => value);
}
