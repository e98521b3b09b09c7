/** Whether the parts of a manifest fit each other: names that are used are declared, and what has to be unique is. */
import { didYouMean } from "./near-miss.ts";
import type { EventSourceSpec, KeyringSpec, Manifest, Scoped } from "./manifest.ts";
import { shown } from "./object-reader.ts";
import type { Report } from "./report.ts";
import { BUILT_IN_KEYRING_TYPES } from "./sections/keyrings.ts";
import { refuseRepeated } from "./sections/names.ts";

/** How many entries come from the sections of version 1; they stand first in their lists. */
export interface OlderSections {
  readonly connections: number;
  readonly eventSources: number;
  readonly globals: number;
  readonly developerConnections: number;
}

export function crossCheck(manifest: Manifest, older: OlderSections, report: Report): void {
  new CrossCheck(manifest, older, report).run();
}

interface Placed<T> {
  readonly path: string;
  readonly spec: T;
}

class CrossCheck {
  readonly #manifest: Manifest;
  readonly #report: Report;
  readonly #functions: ReadonlySet<string>;
  readonly #actions: ReadonlySet<string>;
  readonly #sources: readonly Placed<EventSourceSpec>[];
  readonly #keyrings: readonly Placed<KeyringSpec>[];
  readonly #older: OlderSections;

  constructor(manifest: Manifest, older: OlderSections, report: Report) {
    this.#manifest = manifest;
    this.#older = older;
    this.#report = report;
    this.#functions = new Set(manifest.functions.map(({ name }) => name));
    this.#actions = new Set(manifest.snapKitActions.map(({ name }) => name));
    this.#sources = placed(manifest.eventSources, "event_sources", "event-sources", older.eventSources);
    this.#keyrings = placed(manifest.keyrings, "keyrings", "connections", older.connections);
  }

  run(): void {
    this.#unique();
    this.#automations();
    this.#calls();
    this.#snapKit();
    this.#keyringTypes();
    this.#functionKeyrings();
  }

  #unique(): void {
    const { functions, automations, commands, snapKitActions, snapComponents, operations, imports, keyringTypes, tags } = this.#manifest;
    const report = this.#report;
    refuseRepeated(report, named("functions", functions), "name");
    refuseRepeated(report, named("automations", automations), "name");
    refuseRepeated(report, named("snap_kit_actions", snapKitActions), "name");
    refuseRepeated(report, named("snap_components", snapComponents), "name");
    refuseRepeated(report, named("tags", tags), "name");
    refuseRepeated(
      report,
      listed("operations", operations, ({ slug }) => slug),
      "slug",
    );
    refuseRepeated(
      report,
      listed("imports", imports, ({ slug }) => slug),
      "slug",
    );
    refuseRepeated(
      report,
      listed("keyring_types", keyringTypes, ({ id }) => id),
      "id",
    );
    refuseRepeated(
      report,
      listed("commands", commands, ({ name, namespace }) => (name === "" ? "" : `${namespace} ${name}`)),
      "namespace and name",
    );
    refuseRepeated(
      report,
      listed("build_config.environment_variables", this.#manifest.buildConfig.environmentVariables, ({ name }) => name),
      "name",
    );
    refuseRepeated(report, this.#sources.map(nameAndPath), "name");
    refuseRepeated(report, this.#keyrings.map(nameAndPath), "name");
    const { developerKeyrings, inputs } = this.#manifest;
    refuseRepeated(
      report,
      placedList(developerKeyrings, "developer_keyrings", "developer_connections", this.#older.developerConnections).map(nameAndPath),
      "name",
    );
    refuseRepeated(report, placed(inputs, "inputs", "globals", this.#older.globals).map(nameAndPath), "name");
  }

  #automations(): void {
    const sources = new Map(this.#sources.map(({ spec }) => [spec.name, spec]));
    for (const [i, { source, eventTypes, function: name }] of this.#manifest.automations.entries()) {
      const path = `automations[${i}]`;
      this.#function(`${path}.function`, name);
      if (source === "") continue;
      const spec = sources.get(source);
      if (spec === undefined) {
        this.#report.error(
          `${path}.source`,
          `${path}.source is \`${shown(source)}\`, which no event source is called; declare it under event_sources.${didYouMean(source, sources.keys())}`,
        );
        continue;
      }
      for (const [j, type] of eventTypes.entries()) {
        const problem = type === "" ? null : eventTypeProblem(spec, type);
        if (problem !== null)
          this.#report.error(`${path}.event_types[${j}]`, `${path}.event_types[${j}] is \`${shown(type)}\`; ${problem}`);
      }
    }
  }

  #calls(): void {
    const { commands, hooks, snapKitActions, operations, imports } = this.#manifest;
    for (const [i, entry] of commands.entries()) this.#function(`commands[${i}].function`, entry.function);
    for (const [i, entry] of hooks.entries()) this.#function(`hooks[${i}].function`, entry.function);
    for (const [i, entry] of snapKitActions.entries()) this.#function(`snap_kit_actions[${i}].function`, entry.function);
    for (const [i, entry] of operations.entries()) {
      this.#function(`operations[${i}].function`, entry.function);
      refuseRepeated(this.#report, named(`operations[${i}].keyrings`, entry.keyrings), "name");
      this.#types(entry.keyrings.map((spec, j) => ({ spec, path: `operations[${i}].keyrings[${j}]` })));
    }
    const types = new Set(this.#manifest.keyringTypes.map(({ id }) => id));
    for (const [i, entry] of imports.entries()) {
      this.#function(`imports[${i}].extractor_function`, entry.extractorFunction);
      if (entry.loaderFunction !== null) this.#function(`imports[${i}].loader_function`, entry.loaderFunction);
      for (const [j, type] of entry.allowedConnectionTypes.entries())
        this.#type(`imports[${i}].allowed_connection_types[${j}]`, type, types);
    }
  }

  #snapKit(): void {
    for (const [i, entry] of this.#manifest.snapComponents.entries()) this.#snapKitPart(`snap_components[${i}]`, entry);
    for (const [scope, entry] of Object.entries(this.#manifest.configurationHandler))
      this.#snapKitPart(`configuration_handler.${scope}`, entry);
  }

  #snapKitPart(path: string, part: { readonly initializer: string | null; readonly snapKitActionName: string | null }): void {
    if (part.initializer !== null) this.#function(`${path}.initializer`, part.initializer);
    const action = part.snapKitActionName;
    if (action === null || this.#actions.has(action)) return;
    const at = `${path}.snap_kit_action_name`;
    this.#report.error(
      at,
      `${at} is \`${shown(action)}\`, which is not declared under snap_kit_actions.${didYouMean(action, this.#actions)}`,
    );
  }

  #keyringTypes(): void {
    this.#types(this.#keyrings);
    const secrets = new Set(this.#manifest.developerKeyrings.map(({ name }) => name));
    const types = new Set(this.#manifest.keyringTypes.map(({ id }) => id));
    for (const [i, { oauthSecret, referenceKeyring }] of this.#manifest.keyringTypes.entries()) {
      const path = `keyring_types[${i}]`;
      if (oauthSecret !== null && !secrets.has(oauthSecret)) {
        const at = `${path}.oauth_secret`;
        this.#report.error(
          at,
          `${at} is \`${shown(oauthSecret)}\`; declare it under developer_keyrings.${didYouMean(oauthSecret, secrets)}`,
        );
      }
      if (referenceKeyring !== null) this.#type(`${path}.reference_keyring`, referenceKeyring, types);
    }
    for (const [i, { type, value }] of this.#manifest.buildConfig.environmentVariables.entries()) {
      const at = `build_config.environment_variables[${i}].value`;
      if (type === "keyring" && !secrets.has(value))
        this.#report.error(at, `${at} has to name a keyring under developer_keyrings.${didYouMean(value, secrets)}`);
    }
  }

  #types(keyrings: readonly Placed<KeyringSpec>[]): void {
    const types = new Set(this.#manifest.keyringTypes.map(({ id }) => id));
    for (const { path, spec } of keyrings) {
      for (const [i, type] of spec.types.entries()) this.#type(`${path}.types[${i}]`, type, types);
    }
  }

  #type(path: string, type: string, declared: ReadonlySet<string>): void {
    if (type === "" || declared.has(type) || BUILT_IN_KEYRING_TYPES.includes(type)) return;
    const hint = didYouMean(type, [...declared, ...BUILT_IN_KEYRING_TYPES]);
    if (type.startsWith("devrev-")) {
      this.#report.warning(path, `${path} is \`${shown(type)}\`, a type that Plinth does not know; it takes it for a plain secret.${hint}`);
    } else {
      this.#report.error(path, `${path} is \`${shown(type)}\`; declare it under keyring_types, or write \`snap_in_secret\`.${hint}`);
    }
  }

  #functionKeyrings(): void {
    const names = new Set(
      [
        ...this.#keyrings.map(({ spec }) => spec),
        ...this.#manifest.developerKeyrings,
        ...this.#manifest.operations.flatMap(({ keyrings }) => keyrings),
      ].map(({ name }) => name),
    );
    for (const [i, { keyrings }] of this.#manifest.functions.entries()) {
      for (const [j, name] of (keyrings ?? []).entries()) {
        const path = `functions[${i}].config.runtime.keyrings[${j}]`;
        if (name !== "" && !names.has(name))
          this.#report.error(path, `${path} is \`${shown(name)}\`, which no keyring is called.${didYouMean(name, names)}`);
      }
    }
  }

  #function(path: string, name: string): void {
    if (name === "" || this.#functions.has(name)) return;
    this.#report.error(path, `${path} is \`${shown(name)}\`; declare it under functions.${didYouMean(name, this.#functions)}`);
  }
}

/** Why a source never sends such events. */
function eventTypeProblem(source: EventSourceSpec, type: string): string | null {
  switch (source.type) {
    case "devrev-webhook": {
      const sent = source.config["event_types"];
      if (!Array.isArray(sent) || sent.includes(type)) return null;
      return `the source \`${shown(source.name)}\` does not listen for it; add it to its config.event_types.`;
    }
    case "flow-custom-webhook":
    case "flow-events":
      return type.startsWith("custom:") ? null : "events of this source are called `custom:<event key>`.";
    case "timer-events":
      return type === "timer.tick" ? null : "a timer sends `timer.tick` only.";
    case "email-forward":
      return type === "email.receive" ? null : "forwarded mail is `email.receive` only.";
  }
}

function placed<T>(scoped: Scoped<T>, section: string, olderSection: string, olderCount: number): Placed<T>[] {
  return [
    ...placedList(scoped.organization, `${section}.organization`, olderSection, olderCount),
    ...scoped.user.map((spec, i) => ({ spec, path: `${section}.user[${i}]` })),
  ];
}

function placedList<T>(specs: readonly T[], section: string, olderSection: string, olderCount: number): Placed<T>[] {
  return specs.map((spec, i) => ({ spec, path: i < olderCount ? `${olderSection}[${i}]` : `${section}[${i - olderCount}]` }));
}

function nameAndPath({ spec, path }: Placed<{ readonly name: string }>): { name: string; path: string } {
  return { name: spec.name, path };
}

function named(section: string, specs: readonly { readonly name: string }[]): { name: string; path: string }[] {
  return listed(section, specs, ({ name }) => name);
}

function listed<T>(section: string, specs: readonly T[], nameOf: (spec: T) => string): { name: string; path: string }[] {
  return specs.map((spec, i) => ({ name: nameOf(spec), path: `${section}[${i}]` }));
}
