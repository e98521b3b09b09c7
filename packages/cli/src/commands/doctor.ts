import { runServerCommand } from "../host/host-process.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const doctor: AddCommand = (program) => {
  program
    .command("doctor")
    .description("Probe what isolation this machine can give, and what is missing for more")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      process.exitCode = await runServerCommand(globals.json === true ? ["doctor", "--json"] : ["doctor"]);
    });
};
