import { resolve } from "node:path";
import { runServerCommand } from "../host/host-process.ts";
import type { AddCommand } from "./table.ts";

export const restore: AddCommand = (program) => {
  program
    .command("restore")
    .description("Make a new data folder from a backup, as of its end or of a moment before")
    .argument("<file>", "backup")
    .argument("<data-dir>", "folder to create; must be empty or absent")
    .option("--at <moment>", "ISO time within the retention, for example 2026-11-20T12:00:00Z")
    .action(async (file: string, dataDir: string, options: { at?: string }) => {
      const at = options.at === undefined ? [] : ["--at", options.at];
      process.exitCode = await runServerCommand(["restore", resolve(file), resolve(dataDir), ...at]);
    });
};
