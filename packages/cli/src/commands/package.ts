import { basename } from "node:path";
import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { note, print, printJson, progress, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface BuildFlags {
  readonly name?: string;
  readonly override?: readonly string[];
}

interface PushFlags extends BuildFlags {
  readonly note?: string;
  readonly dryRun?: boolean;
  readonly promote: boolean;
}

export const packageCommand: AddCommand = (program) => {
  const group = program.command("package").description("Packages of handlers: create, build, push, and the versions of a branch");
  group
    .command("create")
    .description("Make a new package that builds and activates as it is")
    .argument("<folder>", "new folder; its name becomes the name of the package")
    .option("--template <language>", "node or python", "node")
    .action(async (folder: string, options: { template: string }) => {
      const { scaffold } = await import("../package/scaffold.ts");
      if (options.template !== "node" && options.template !== "python")
        throw new CommandFailure(`There is no template '${options.template}'; there are node and python.`, 4);
      const name = basename(folder).toLowerCase();
      if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name))
        throw new CommandFailure("The name of a package has letters, digits, `-` and `_` and begins with a letter.", 4);
      for (const file of scaffold(folder, name, options.template)) note(`  ${folder}/${file}`);
      success(`${name} is there; \`plinth package push ${folder}\` brings it to the host`);
    });
  group
    .command("build")
    .description("Check the manifest, install, compile and pack; nothing is sent")
    .argument("[folder]", "folder with manifest.yaml", ".")
    .option("--name <name>", "name of the package; that of the folder when absent")
    .option("--override <name=version>", "take another version of a dependency, or a file: tarball", collect)
    .action(async (folder: string, options: BuildFlags, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const built = await build(folder, options);
      const { archive, digest, files, bytes, archiveBytes } = built;
      if (globals.json === true) return printJson({ archive, digest, files, bytes, archiveBytes, name: built.source.name });
      success(
        `${built.source.name} ${digest.slice(0, 12)}: ${files} files, ${size(bytes)} packed to ${size(archiveBytes)} in ${seconds(built.buildMs)}`,
      );
      print(archive);
    });
  group
    .command("push")
    .description("Build, send to the host, and move the branch to the new version")
    .argument("[folder]", "folder with manifest.yaml", ".")
    .option("--name <name>", "name of the package; that of the folder when absent")
    .option("--override <name=version>", "take another version of a dependency, or a file: tarball", collect)
    .option("--note <text>", "why, for the version ledger")
    .option("--dry-run", "check everything and change nothing")
    .option("--no-promote", "store the version and leave the branch where it is")
    .action(async (folder: string, options: PushFlags, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const built = await build(folder, options);
      const startedMs = performance.now();
      const { pushPackage } = await import("../package/push-package.ts");
      const { name } = built.source;
      const result = await progress(`pushing ${name}`, (update) =>
        pushPackage(connection, built.archive, { ...options, name, update: (text) => update(text.toLowerCase()) }),
      );
      if (globals.json === true) return printJson(result);
      for (const warning of warningsOf(result)) note(`warning: ${warning}`);
      const functions = (result as { readonly functions?: readonly string[] }).functions ?? [];
      const verb = options.dryRun === true ? "would push" : options.promote ? "pushed" : "stored, without moving the branch:";
      success(
        `${verb} ${name} ${(field(result, "version") ?? "").slice(0, 12)} with ${functions.length} ${functions.length === 1 ? "function" : "functions"} (build ${seconds(built.buildMs)}, push ${seconds(performance.now() - startedMs)})`,
      );
    });
  addVersionCommands(group);
};

function addVersionCommands(group: ReturnType<Parameters<AddCommand>[0]["command"]>): void {
  group
    .command("list")
    .description("Show the packages of the branch")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/packages");
      if (globals.json === true) return printJson(json);
      const rows = listOf(json, "packages").map((row) => [
        field(row, "name") ?? "",
        short(row, "version"),
        field(row, "runtime") ?? "",
        timeOf(row, "deployedMs"),
      ]);
      print(table(["PACKAGE", "VERSION", "RUNTIME", "SINCE"], rows));
    });
  group
    .command("versions")
    .description("Show the ledger of a package: who moved the branch, when and why")
    .argument("<package>")
    .action(async (name: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), `/v1/packages/${encodeURIComponent(name)}`);
      if (globals.json === true) return printJson(json);
      const rows = listOf(json, "ledger").map((row) => [
        String((row as { readonly seq?: number }).seq ?? ""),
        short(row, "version"),
        field(row, "cause") ?? "",
        timeOf(row, "atMs"),
        field(row, "by") ?? "",
        field(row, "note") ?? "",
        (row as { readonly stored?: boolean }).stored === true ? "" : "collected",
      ]);
      print(table(["SEQ", "VERSION", "CAUSE", "AT", "BY", "NOTE", ""], rows));
    });
  group
    .command("promote")
    .description("Move the branch to a stored version")
    .argument("<package>")
    .argument("<version>", "digest, or its first 8 digits")
    .option("--from <branch>", "the branch on which the version is")
    .option("--note <text>")
    .action(async (name: string, version: string, options: { from?: string; note?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const body = { version, ...(options.from === undefined ? {} : fromBranch(globals, options.from)), ...noteOf(options) };
      const json = await call(findConnection(globals), `/v1/packages/${encodeURIComponent(name)}/promote`, { body });
      success(`${name} is at ${short(json, "version")}`);
    });
  group
    .command("rollback")
    .description("Move the branch back to the version before, or to a given one")
    .argument("<package>")
    .argument("[version]", "digest, or its first 8 digits")
    .option("--note <text>")
    .action(async (name: string, version: string | undefined, options: { note?: string }, command) => {
      const body = { ...(version === undefined ? {} : { version }), ...noteOf(options) };
      const json = await call(findConnection(command.optsWithGlobals()), `/v1/packages/${encodeURIComponent(name)}/rollback`, { body });
      success(`${name} is back at ${short(json, "version")}`);
    });
  group
    .command("diff")
    .description("Show what differs between two versions")
    .argument("<package>")
    .argument("<from>")
    .argument("<to>")
    .action(async (name: string, from: string, to: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const query = new URLSearchParams({ from, to });
      const json = await call(findConnection(globals), `/v1/packages/${encodeURIComponent(name)}/diff?${query}`);
      if (globals.json === true) return printJson(json);
      printDiff(json);
    });
}

async function build(folder: string, options: BuildFlags) {
  const { buildPackage } = await import("../package/build-package.ts");
  const overrides = Object.fromEntries((options.override ?? []).map(overrideOf));
  return await progress(`building ${folder}`, (update) => buildPackage(folder, { name: options.name, overrides, update }));
}

function overrideOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CommandFailure(`'${text}' is not of the form name=version.`, 4);
  return [text.slice(0, at), text.slice(at + 1)];
}

function printDiff(json: Json): void {
  const lines = [
    ...textsOf(json, "functionsAdded").map((name) => `+ function ${name}`),
    ...textsOf(json, "functionsRemoved").map((name) => `- function ${name}`),
    ...textsOf(json, "filesAdded").map((name) => `+ ${name}`),
    ...textsOf(json, "filesRemoved").map((name) => `- ${name}`),
    ...textsOf(json, "filesChanged").map((name) => `~ ${name}`),
  ];
  const manifest = field(json, "manifest") ?? "";
  if (manifest !== "") lines.push("", manifest.trimEnd());
  print(lines.length === 0 ? "The versions have the same files." : lines.join("\n"));
}

function warningsOf(result: Json): readonly string[] {
  return listOf(result, "findings").map((finding) => {
    const { line } = finding as { readonly line?: number };
    return `manifest.yaml:${line ?? 0}: ${field(finding, "message") ?? ""}`;
  });
}

/** The branch that has the version, with its key where this machine keeps it: its versions are not for everybody. */
function fromBranch(globals: GlobalOptions, branch: string): { readonly fromBranch: string; readonly fromBranchKey?: string } {
  const key = findConnection({ ...globals, branch, branchKey: undefined }).branchHeaders?.["x-plinth-branch-key"];
  return { fromBranch: branch, ...(key === undefined ? {} : { fromBranchKey: key }) };
}

function listOf(json: Json, name: string): readonly Json[] {
  const value =
    typeof json === "object" && json !== null && !Array.isArray(json) ? Object.entries(json).find(([key]) => key === name)?.[1] : undefined;
  return Array.isArray(value) ? value : [];
}

function textsOf(json: Json, name: string): readonly string[] {
  return listOf(json, name).filter((value): value is string => typeof value === "string");
}

function noteOf(options: { readonly note?: string }): { readonly note?: string } {
  return options.note === undefined ? {} : { note: options.note };
}

function short(json: Json, name: string): string {
  return (field(json, name) ?? "").slice(0, 12);
}

function timeOf(row: Json, name: string): string {
  const value = typeof row === "object" && row !== null ? Object.entries(row).find(([key]) => key === name)?.[1] : undefined;
  return typeof value === "number" ? new Date(value).toISOString().slice(0, 16).replace("T", " ") : "";
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function size(bytes: number): string {
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
