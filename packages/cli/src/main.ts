#!/usr/bin/env node
/** The command line `plinth`. Each command is a file of `commands/` and a line of `commands/table.ts`. */
import { Command } from "commander";
import { PlinthError } from "@plinth/core/errors.ts";
import { COMMANDS } from "./commands/table.ts";
import { CommandFailure } from "./failure.ts";
import { problem } from "./output.ts";
import { systemRefusal } from "./system-refusal.ts";

const program = new Command("plinth")
  .description("Deploys and calls functions on a Plinth host.")
  .option("--url <url>", "host to speak to (PLINTH_URL; else the one of .plinth/host.json)")
  .option("--key <key>", "key to use (PLINTH_ADMIN_KEY; else the one of .plinth/host.json)")
  .option("--tenant <tenant>", "tenant to act in", "default")
  .option("--branch <branch>", "branch to act in (PLINTH_BRANCH; else main)")
  .option("--branch-key <key>", "its key (PLINTH_BRANCH_KEY; else the one that `branches create` kept)")
  .option("--json", "print results as JSON, one value a line")
  .showHelpAfterError("Run with --help to see what is possible.")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 4));
for (const command of COMMANDS) command(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints what went wrong in one sentence and returns the exit code. A bug of Plinth shows its stack. */
function report(error: unknown): number {
  if (error instanceof CommandFailure) {
    problem(error.message);
    return error.exitCode;
  }
  if (error instanceof PlinthError) {
    problem(`${error.message}\n${error.next}`);
    return error.spec.exitCode;
  }
  const refused = systemRefusal(error);
  if (refused !== undefined) {
    problem(refused);
    return 4;
  }
  problem(`This is a bug of plinth: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 7;
}
