/** Which keyring of the branch a name in the manifest means. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Keyring } from "../keyrings/keyrings.ts";

/** Throws BadRequest for a binding of a name that the manifest does not declare for the organisation. */
export function checkBindings(manifest: Manifest, chosen: Readonly<Record<string, string>>): void {
  const { developerKeyrings, keyrings, operations } = manifest;
  const declared = [...developerKeyrings, ...keyrings.organization, ...operations.flatMap((operation) => operation.keyrings)];
  const names = new Set(declared.map(({ name }) => name));
  const unknown = Object.keys(chosen).find((name) => !names.has(name));
  if (unknown === undefined) return;
  const detail = `The package declares no keyring ${JSON.stringify(unknown.slice(0, 64))} of the organisation`;
  throw plinthError("BadRequest", {
    detail: names.size === 0 ? `${detail}.` : `${detail}; it declares ${[...names].slice(0, 20).join(", ")}.`,
  });
}

/**
 * The bindings that were chosen, and for other names the organisation's keyring of the same name. Throws KeyringMissing for one
 * that the organisation has to have. Keyrings of users are theirs and are looked up at each call.
 */
export function bindKeyrings(
  manifest: Manifest,
  chosen: Readonly<Record<string, string>>,
  existing: readonly Keyring[],
): Readonly<Record<string, string>> {
  const usable = new Set(existing.filter(({ owner, state }) => owner.user === undefined && state === "active").map(({ name }) => name));
  const bound: Record<string, string> = {};
  for (const { name } of [...manifest.developerKeyrings, ...manifest.keyrings.organization]) {
    const keyring = chosen[name] ?? name;
    if (!usable.has(keyring)) throw plinthError("KeyringMissing", { name, keyring });
    bound[name] = keyring;
  }
  for (const { name } of manifest.operations.flatMap(({ keyrings }) => keyrings)) {
    const keyring = chosen[name] ?? name;
    if (usable.has(keyring)) bound[name] = keyring;
  }
  return bound;
}
