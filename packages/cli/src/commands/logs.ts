import { failureOf, send, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { readEvents } from "../event-stream.ts";
import { note, print } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const logs: AddCommand = (program) => {
  program
    .command("logs")
    .description("Show console lines and errors of functions")
    .option("-f, --follow", "go on as new lines come")
    .action(async (options: { follow?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const stop = new AbortController();
      process.once("SIGINT", () => stop.abort());
      await followLogs(findConnection(globals), { follow: options.follow === true, signal: stop.signal }, (entry) => {
        print(globals.json === true ? JSON.stringify(entry) : describeLogEntry(entry));
      });
    });
};

/** Calls `onEntry` for each line, past ones first. Returns when the host ends the stream or `signal` fires. */
export async function followLogs(
  connection: Parameters<typeof send>[0],
  options: { readonly follow: boolean; readonly signal: AbortSignal },
  onEntry: (entry: Json) => void,
): Promise<void> {
  try {
    const response = await send(connection, `/v1/logs?follow=${options.follow}`, { accept: "text/event-stream", signal: options.signal });
    if (!response.ok) throw failureOf(response.status, (await response.json().catch(() => undefined)) as Json | undefined);
    for await (const { event, data } of readEvents(response)) {
      if (event === "dropped") note("some lines were dropped");
      else onEntry(JSON.parse(data) as Json);
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
}

/** One line for people: time, function, level, text. */
export function describeLogEntry(entry: Json): string {
  const { atMs, functionPath, level, text } = entry as {
    readonly atMs?: number;
    readonly functionPath?: string;
    readonly level?: string;
    readonly text?: string;
  };
  const time = new Date(atMs ?? 0).toISOString().slice(11, 23);
  return `${time} ${functionPath ?? ""} [${(level ?? "log").toUpperCase()}] ${text ?? ""}`;
}
