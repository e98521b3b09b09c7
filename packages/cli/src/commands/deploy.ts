import { changedIndexes } from "../changed-indexes.ts";
import { createBundler } from "../bundle/bundle.ts";
import { findConnection } from "../connection.ts";
import { functionsFolder } from "../functions-folder.ts";
import { printJson, progress, success } from "../output.ts";
import { push } from "../push.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const deploy: AddCommand = (program) => {
  program
    .command("deploy")
    .description("Push the functions folder once")
    .argument("[folder]", "project or functions folder", ".")
    .option("--note <text>", "why, for the version ledger")
    .option("--dry-run", "check everything and change nothing")
    .action(async (folder: string, options: { note?: string; dryRun?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const functions = functionsFolder(folder);
      const bundler = createBundler(functions);
      try {
        const result = await progress("deploying", () =>
          push(findConnection(globals), bundler, { folder: functions, note: options.note, dryRun: options.dryRun }),
        );
        if (globals.json === true) return printJson({ ...result });
        const verb = options.dryRun === true ? "would deploy" : result.changed ? "deployed" : "already deployed:";
        success(
          `${verb} ${result.functions.length} functions as version ${result.version.slice(0, 12)} (bundle ${result.bundleMs.toFixed(0)} ms, deploy ${result.deployMs.toFixed(0)} ms)`,
        );
        for (const line of changedIndexes(result)) success(line);
      } finally {
        await bundler.dispose();
      }
    });
};
