import { call, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { print, printJson, success } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const env: AddCommand = (program) => {
  const group = program.command("env").description("Environment variables of functions (process.env)");
  group
    .command("list")
    .description("Show all variables")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const variables = await call(findConnection(globals), "/v1/environment");
      if (globals.json === true) return printJson(variables);
      for (const [name, value] of Object.entries((variables ?? {}) as Record<string, Json>))
        print(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    });
  group
    .command("set")
    .description("Set a variable")
    .argument("<name>")
    .argument("<value>")
    .action(async (name: string, value: string, _, command) => {
      await call(findConnection(command.optsWithGlobals()), "/v1/environment", { body: { changes: { [name]: value } } });
      success(`${name} is set; calls from now on see it`);
    });
  group
    .command("unset")
    .description("Remove a variable")
    .argument("<name>")
    .action(async (name: string, _, command) => {
      await call(findConnection(command.optsWithGlobals()), "/v1/environment", { body: { changes: { [name]: null } } });
      success(`${name} is removed`);
    });
};
