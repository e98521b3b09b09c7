import { createInterface } from "node:readline/promises";
import { CommandFailure } from "./failure.ts";

/** Asks before something that cannot be undone. Without a terminal the answer must be given as `--yes`. */
export async function confirmOrFail(text: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new CommandFailure(`${text} Add --yes to do it.`, 4);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${text} Type yes to go on: `);
  terminal.close();
  if (answer.trim() !== "yes") throw new CommandFailure("Nothing was changed.", 4);
}
