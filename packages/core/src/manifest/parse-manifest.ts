/**
 * The reader of manifests: hostile JSON in, a `Manifest` and findings out. It is pure, and nothing of what is written in a
 * manifest is evaluated: jq, Rego and URLs are texts here.
 *
 * P1. A manifest is returned only when there is no error; warnings never stop it.
 * P2. Time and findings are bounded whatever the JSON is: lists, texts, nesting and the number of findings have limits.
 * P3. The result shares no object with the JSON.
 * P4. A manifest refers by name to what it declares itself; names of other packages and ids of objects are errors.
 */
import type { Manifest, ManifestFinding } from "./manifest.ts";
import { crossCheck } from "./cross-checks.ts";
import { readObject, type ObjectReader } from "./object-reader.ts";
import { Report } from "./report.ts";
import { readEventSources } from "./sections/event-sources.ts";
import { readInputs } from "./sections/fields.ts";
import { readFunction } from "./sections/functions.ts";
import { readBuildVariable, readImport } from "./sections/imports.ts";
import { readDeveloperKeyrings, readKeyrings } from "./sections/keyrings.ts";
import { readKeyringType } from "./sections/keyring-types.ts";
import { readOperation } from "./sections/operations.ts";
import { PLINTH_DEFAULTS, readPlinth } from "./sections/plinth.ts";
import { readServiceAccount } from "./sections/scopes.ts";
import { readConfigurationHandler, readSnapComponent, readSnapKitAction } from "./sections/snap-kit.ts";
import { readAutomation, readCommand, readHooks, readTag } from "./sections/triggers.ts";

export interface ParsedManifest {
  /** Null when there is an error among the findings. */
  readonly manifest: Manifest | null;
  readonly findings: readonly ManifestFinding[];
}

/** Sections of version 1, and what they are called since. */
const OLDER_SECTIONS: Readonly<Record<string, string>> = {
  connections: "keyrings.organization",
  developer_connections: "developer_keyrings",
  "event-sources": "event_sources.organization",
  globals: "inputs.organization",
};

/** `lines` maps paths to lines, as `readYaml` does; it may be hostile too. */
export function parseManifest(json: unknown, lines: unknown): ParsedManifest {
  const report = new Report(lines);
  const manifest = readObject(json, "", report, (reader) => {
    const read = readSections(reader);
    const count = (key: string): number => {
      const list = reader.raw(key);
      return Array.isArray(list) ? list.length : 0;
    };
    crossCheck(
      read,
      {
        connections: count("connections"),
        eventSources: count("event-sources"),
        globals: count("globals"),
        developerConnections: count("developer_connections"),
      },
      report,
    );
    return read;
  });
  return { manifest: report.failed ? null : manifest, findings: report.findings };
}

function readSections(reader: ObjectReader): Manifest {
  const version = readVersion(reader);
  if (version === "2") warnOfOlderSections(reader);
  const build = reader.object("build_config", (section) =>
    section.objects("environment_variables", "manifestBuildVariablesMax", readBuildVariable),
  );
  return {
    version,
    name: reader.label("name", { required: true, instead: "give the package a name" }),
    description: reader.text("description"),
    serviceAccount: reader.object("service_account", readServiceAccount),
    developerKeyrings: readDeveloperKeyrings(reader),
    keyrings: readKeyrings(reader),
    keyringTypes: reader.objects("keyring_types", "manifestKeyringTypesMax", readKeyringType),
    eventSources: readEventSources(reader),
    inputs: readInputs(reader),
    tags: reader.objects("tags", "manifestTagsMax", readTag),
    functions: reader.objects("functions", "manifestFunctionsMax", readFunction),
    automations: reader.objects("automations", "manifestAutomationsMax", readAutomation),
    commands: reader.objects("commands", "manifestCommandsMax", readCommand),
    hooks: readHooks(reader),
    snapKitActions: reader.objects("snap_kit_actions", "manifestSnapKitActionsMax", readSnapKitAction),
    snapComponents: reader.objects("snap_components", "manifestSnapComponentsMax", readSnapComponent),
    configurationHandler: readConfigurationHandler(reader),
    operations: reader.objects("operations", "manifestOperationsMax", readOperation),
    imports: reader.objects("imports", "manifestImportsMax", readImport),
    buildConfig: { environmentVariables: build ?? [] },
    plinth: reader.object("plinth", readPlinth) ?? PLINTH_DEFAULTS,
  };
}

/** A number is as good as a text. */
function readVersion(reader: ObjectReader): Manifest["version"] {
  const value = reader.raw("version");
  const text = typeof value === "number" ? String(value) : value;
  if (text === "1" || text === "2") return text;
  reader.error("version", `is ${value === undefined ? "missing" : "unknown"}; write \`version: "2"\`.`);
  return "2";
}

function warnOfOlderSections(reader: ObjectReader): void {
  for (const [older, newer] of Object.entries(OLDER_SECTIONS)) {
    if (reader.has(older)) reader.warning(older, `is a section of version 1 and is read as \`${newer}\`; write that.`);
  }
}
