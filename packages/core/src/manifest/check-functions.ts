/** Whether the functions that a manifest names are those that the code exports. */
import type { Manifest, ManifestFinding } from "./manifest.ts";
import { didYouMean } from "./near-miss.ts";
import { shown } from "./object-reader.ts";
import { Report } from "./report.ts";

/** `factoryNames`: keys of the code's `functionFactory`; hostile. `lines` as for `parseManifest`. */
export function checkFunctions(manifest: Manifest, factoryNames: Iterable<string>, lines?: unknown): readonly ManifestFinding[] {
  const report = new Report(lines);
  const exported = new Set(factoryNames);
  for (const [i, { name }] of manifest.functions.entries()) {
    const path = `functions[${i}].name`;
    if (!exported.has(name)) {
      report.error(
        path,
        `${path} is \`${shown(name)}\`, which the code's functionFactory does not export; add it there.${didYouMean(name, exported)}`,
      );
    }
  }
  const declared = new Set(manifest.functions.map(({ name }) => name));
  const referenced = referencedFunctions(manifest);
  for (const name of exported) {
    if (report.isFull) break;
    if (!declared.has(name)) {
      report.warning("functions", `functionFactory exports \`${shown(name)}\`, which the manifest does not declare; nothing can call it.`);
    } else if (!referenced.has(name)) {
      report.warning(
        "functions",
        `nothing in the manifest calls the function \`${shown(name)}\`; it runs only when it is invoked by name.`,
      );
    }
  }
  return report.findings;
}

/** Functions that a trigger, hook, action, operation or import names. */
export function referencedFunctions(manifest: Manifest): ReadonlySet<string> {
  const { automations, commands, hooks, snapKitActions, snapComponents, configurationHandler, operations, imports } = manifest;
  const names = new Set<string>();
  for (const entry of [...automations, ...commands, ...hooks, ...snapKitActions, ...operations]) names.add(entry.function);
  for (const { initializer } of [...snapComponents, ...Object.values(configurationHandler)]) {
    if (initializer !== null) names.add(initializer);
  }
  for (const { extractorFunction, loaderFunction } of imports) {
    names.add(extractorFunction);
    if (loaderFunction !== null) names.add(loaderFunction);
  }
  return names;
}
