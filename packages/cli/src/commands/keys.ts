import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { print, printJson, success, table } from "../output.ts";
import { createdText } from "./tenants.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const keys: AddCommand = (program) => {
  const group = program.command("keys").description("API keys of a tenant");
  group
    .command("list")
    .description("Show all keys (never their secrets)")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/keys");
      if (globals.json === true) return printJson(json);
      const rows = (json as { readonly keys?: readonly Json[] }).keys ?? [];
      const scopesOf = (row: Json) => ((row as { readonly scopes?: readonly string[] }).scopes ?? []).join(",");
      print(
        table(
          ["ID", "SCOPES", "CREATED", "NAME"],
          rows.map((row) => [field(row, "id") ?? "", scopesOf(row), createdText(row), field(row, "name") ?? ""]),
        ),
      );
    });
  group
    .command("create")
    .description("Create a key and print it, this once")
    .option("--scopes <scopes>", "comma-separated: admin, deploy, invoke, read", "invoke")
    .option("--name <name>", "what it is for")
    .option("--expires-in-days <days>", "end of its life")
    .action(async (options: { scopes: string; name?: string; expiresInDays?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const body = {
        scopes: options.scopes.split(",").map((scope) => scope.trim()),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.expiresInDays === undefined ? {} : { expiresInDays: Number(options.expiresInDays) }),
      };
      const json = await call(findConnection(globals), "/v1/keys", { body });
      if (globals.json === true) return printJson(json);
      print(field(json, "key") ?? "");
      success("Keep it now; it cannot be shown again.");
    });
  group
    .command("revoke")
    .description("End a key; calls with it are refused at once")
    .argument("<id>")
    .action(async (id: string, _, command) => {
      await call(findConnection(command.optsWithGlobals()), `/v1/keys/${encodeURIComponent(id)}`, { method: "DELETE" });
      success(`key ${id} is revoked`);
    });
};
