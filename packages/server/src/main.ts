/**
 * The host's program: `serve` (also without a name), `doctor`, `restore`. What goes wrong at the start is one
 * sentence on standard error and an exit code; a stack is for the log only.
 */
import { PlinthError } from "@plinth/core/errors.ts";
import { doctor } from "./commands/doctor.ts";
import { help } from "./commands/help.ts";
import { restore } from "./commands/restore.ts";
import { serve } from "./commands/serve.ts";

const COMMANDS = { serve, doctor, restore, help } as const satisfies Record<string, (args: readonly string[]) => Promise<number>>;

async function run(argv: readonly string[]): Promise<number> {
  const [first = "serve", ...rest] = argv;
  if (first === "--help" || first === "-h") return await help();
  if (first.startsWith("-")) return await serve(argv);
  const command = Object.entries(COMMANDS).find(([name]) => name === first)?.[1];
  if (command === undefined) {
    process.stderr.write(`There is no command '${first}'. Use one of ${Object.keys(COMMANDS).join(", ")}.\n`);
    return 4;
  }
  return await command(rest);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof PlinthError) {
    process.stderr.write(`${error.message} ${error.next}\n`);
    process.exitCode = error.spec.exitCode;
  } else {
    process.stderr.write(`The host failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 7;
  }
}
// Nothing is left to do; handles that a library keeps must not keep the process.
process.exit();
