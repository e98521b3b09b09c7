/** Reads a secret without showing it: from a pipe, or from the keyboard with nothing on the screen. */
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { Writable } from "node:stream";
import { CommandFailure } from "./failure.ts";

export async function readSecret(name: string): Promise<string> {
  const secret = process.stdin.isTTY ? await ask(name) : (await text(process.stdin)).replace(/\r?\n$/, "");
  if (secret === "") throw new CommandFailure(`No ${name} was given on standard input.`, 4);
  return secret;
}

async function ask(name: string): Promise<string> {
  process.stderr.write(`${name}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}
