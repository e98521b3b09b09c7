import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { print, printJson, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const tenants: AddCommand = (program) => {
  const group = program.command("tenants").description("Tenants of the host (admin key)");
  group
    .command("list")
    .description("Show all tenants")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/tenants");
      if (globals.json === true) return printJson(json);
      const rows = (json as { readonly tenants?: readonly Json[] }).tenants ?? [];
      print(
        table(
          ["TENANT", "CREATED"],
          rows.map((row) => [field(row, "name") ?? "", createdText(row)]),
        ),
      );
    });
  group
    .command("create")
    .description("Create a tenant; it is reached under /t/<name> or by its own keys")
    .argument("<name>", "lower-case letters, digits and hyphens")
    .action(async (name: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/tenants", { body: { name } });
      if (globals.json === true) return printJson(json);
      success(`tenant ${name} is there; \`plinth --tenant ${name} deploy\` gives it functions`);
    });
  group
    .command("delete")
    .description("Delete a tenant with all its data, versions and keys")
    .argument("<name>")
    .option("--yes", "do not ask")
    .action(async (name: string, options: { yes?: boolean }, command) => {
      const { confirmOrFail } = await import("../confirm.ts");
      await confirmOrFail(`This deletes tenant ${name} with all its data.`, options.yes === true);
      await call(findConnection(command.optsWithGlobals()), `/v1/tenants/${encodeURIComponent(name)}`, { method: "DELETE" });
      success(`tenant ${name} is deleted`);
    });
};

export function createdText(row: Json): string {
  const createdMs = (row as { readonly createdMs?: number }).createdMs;
  return createdMs === undefined ? "" : new Date(createdMs).toISOString().slice(0, 16).replace("T", " ");
}
