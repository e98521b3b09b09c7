/** What an upgrade may not change: inputs, new keyrings, event sources that are gone or of another type. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";

/** Throws UpgradeRefused, which names the first thing that is in the way. */
export function checkUpgrade(from: Manifest, to: Manifest): void {
  for (const scope of ["organization", "user"] as const) {
    const inputs = new Map(to.inputs[scope].map((field) => [field.name, field]));
    for (const field of from.inputs[scope]) {
      const now = inputs.get(field.name);
      if (now === undefined) throw refused(`the input '${field.name}' is gone`);
      if (now.fieldType !== field.fieldType || now.baseType !== field.baseType) throw refused(`the input '${field.name}' has another type`);
    }
    const known = new Set(from.inputs[scope].map(({ name }) => name));
    const added = to.inputs[scope].find(
      ({ name, isRequired, defaultValue }) => !known.has(name) && isRequired && defaultValue === undefined,
    );
    if (added !== undefined) throw refused(`the new input '${added.name}' is required and has no default`);
    const keyrings = new Set(from.keyrings[scope].map(({ name }) => name));
    const keyring = to.keyrings[scope].find(({ name }) => !keyrings.has(name));
    if (keyring !== undefined) throw refused(`the keyring '${keyring.name}' is new`);
    const sources = new Map(to.eventSources[scope].map((source) => [source.name, source]));
    for (const { name, type } of from.eventSources[scope]) {
      const source = sources.get(name);
      if (source === undefined) throw refused(`the event source '${name}' is gone`);
      if (source.type !== type) throw refused(`the event source '${name}' has the type '${source.type}' in place of '${type}'`);
    }
  }
}

function refused(detail: string) {
  return plinthError("UpgradeRefused", { detail });
}
