import { resolve } from "node:path";
import { call } from "../client.ts";
import { findConnection } from "../connection.ts";
import { printJson, progress, success } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const backup: AddCommand = (program) => {
  program
    .command("backup")
    .description("Write a consistent copy of the store while the host runs")
    .argument("<file>", "new file on the host's machine")
    .action(async (file: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const path = resolve(file);
      const json = await progress("backing up", () =>
        call(findConnection({ ...globals, tenant: undefined }), "/v1/backup", { body: { path } }),
      );
      if (globals.json === true) return printJson(json);
      success(`backup written to ${path}`);
    });
};
