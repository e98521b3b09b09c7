import { keepBranchKey } from "../branch-keys.ts";
import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { note, print, printJson, success, table } from "../output.ts";
import { createdText } from "./tenants.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface CreateOptions {
  readonly from?: string;
  readonly at?: string;
  readonly copyEnvironment?: boolean;
}

export const branches: AddCommand = (program) => {
  const group = program.command("branches").description("Branches: functions and data beside those of main");
  group
    .command("create")
    .description("Create a branch, print its key and keep it for --branch")
    .argument("<name>", "lower-case letters, digits, hyphens, underscores and dots")
    .option("--from <branch>", "begin with its functions and a copy of its data")
    .option("--at <time>", "as of this moment: 2026-01-31T12:00:00Z, or a timestamp; now when absent")
    .option("--copy-environment", "copy the environment variables too")
    .action(async (name: string, options: CreateOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const json = await call(connection, "/v1/branches", { body: createBody(name, options) });
      const file = keepBranchKey(connection.url, name, field(json, "key"));
      if (globals.json === true) return printJson(json);
      print(field(json, "key") ?? "");
      success(
        options.from === undefined
          ? `branch ${name} is there; \`plinth --branch ${name} deploy\` gives it functions`
          : `branch ${name} is there with the functions and data of ${options.from}; \`plinth --branch ${name} run\` calls them there`,
      );
      note(`The key is kept in ${file}; it cannot be shown again.`);
    });
  group
    .command("list")
    .description("Show all branches (never their keys)")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/branches");
      if (globals.json === true) return printJson(json);
      print(
        table(
          ["BRANCH", "CREATED", "FROM"],
          listOf(json, "branches").map((row) => [field(row, "name") ?? "", createdText(row), baseText(row)]),
        ),
      );
    });
  group
    .command("delete")
    .description("Delete a branch with its data, versions and schedules")
    .argument("<name>")
    .option("--yes", "do not ask")
    .action(async (name: string, options: { yes?: boolean }, command) => {
      const { confirmOrFail } = await import("../confirm.ts");
      const connection = findConnection(command.optsWithGlobals());
      await confirmOrFail(`This deletes branch ${name} with all its data.`, options.yes === true);
      await call(connection, `/v1/branches/${encodeURIComponent(name)}`, { method: "DELETE" });
      keepBranchKey(connection.url, name, undefined);
      success(`branch ${name} is deleted; its name is free when its data is gone`);
    });
  group
    .command("key")
    .description("Give a branch a new key and print it; the old one ends at once")
    .argument("<name>")
    .action(async (name: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const json = await call(connection, `/v1/branches/${encodeURIComponent(name)}/key`, { method: "POST" });
      const file = keepBranchKey(connection.url, name, field(json, "key"));
      if (globals.json === true) return printJson(json);
      print(field(json, "key") ?? "");
      note(`The key is kept in ${file}; it cannot be shown again.`);
    });
  group
    .command("snapshots")
    .description("Show which versions a branch had at the end of past days")
    .argument("[name]", "branch", "main")
    .action(async (name: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), `/v1/branches/${encodeURIComponent(name)}/snapshots`);
      if (globals.json === true) return printJson(json);
      print(table(["DAY", "PACKAGE", "VERSION"], listOf(json, "snapshots").flatMap(headRows)));
    });
};

function createBody(name: string, { from, at, copyEnvironment }: CreateOptions): Json {
  return {
    name,
    ...(from === undefined ? {} : { from }),
    ...(at === undefined ? {} : { at: /^\d+$/.test(at) ? Number(at) : at }),
    ...(copyEnvironment === true ? { copyEnvironment } : {}),
  };
}

function listOf(json: Json, name: string): readonly Json[] {
  return (json as { readonly [name: string]: readonly Json[] | undefined })[name] ?? [];
}

function baseText(row: Json): string {
  const base = (row as { readonly base?: { readonly branch: string; readonly at: number } | null }).base;
  if (base === null || base === undefined) return "";
  return `${base.branch} at ${new Date(base.at / 1000).toISOString()}`;
}

/** Functions of the branch itself are under the empty name. */
function headRows(row: Json): string[][] {
  const { day, heads } = row as { readonly day: string; readonly heads: Readonly<Record<string, { readonly version: string }>> };
  return Object.entries(heads).map(([name, { version }]) => [day, name === "" ? "(functions)" : name, version.slice(0, 12)]);
}
