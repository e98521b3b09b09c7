import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { PlinthError } from "@plinth/core/errors.ts";
import { findConnection, findRunningHost, type Connection } from "../connection.ts";
import { functionsPusher } from "../dev/functions-pusher.ts";
import type { Pusher } from "../dev/pusher.ts";
import { CommandFailure } from "../failure.ts";
import { functionsFolder } from "../functions-folder.ts";
import { startHostProcess } from "../host/host-process.ts";
import { note, print, problem, success } from "../output.ts";
import { describeLogEntry, followLogs } from "./logs.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

/** Editors write a file in several steps; one push answers all that come within this time. */
const QUIET_MS = 40;

export const dev: AddCommand = (program) => {
  program
    .command("dev")
    .description("Push on every save, show logs and errors; starts a host unless --url names one or one runs here")
    .argument("[folder]", "project or functions folder, or that of a package", ".")
    .option("--data-dir <folder>", "where the host keeps its data", ".plinth")
    .option("--port <port>", "port of the host", "3210")
    .option("--http-actions-port <port>", "port of HTTP actions", "3211")
    .option("--once", "push once and end")
    .action(async (folder: string, options: { dataDir: string; port: string; httpActionsPort: string; once?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const pusher = await pusherOf(folder);
      const url = globals.url ?? process.env["PLINTH_URL"] ?? (await findRunningHost());
      const host = url === undefined ? await startHostProcess(hostArguments(options)) : undefined;
      const connection = findConnection({ ...globals, url: host?.ready.url ?? url, key: host?.ready.adminKey ?? globals.key });
      if (host === undefined) note(`Using the host at ${connection.url}.`);
      if (host !== undefined)
        success(`host at ${host.ready.url}, HTTP actions at ${host.ready.siteUrl}, isolation tier ${host.ready.tier}`);
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
      void host?.ended.then(() => stop.abort());
      try {
        await serve({ pusher, connection, once: options.once === true, signal: stop.signal });
      } finally {
        await pusher.dispose();
        await host?.stop();
      }
    });
};

function hostArguments(options: { readonly dataDir: string; readonly port: string; readonly httpActionsPort: string }): readonly string[] {
  return ["--log-level", "warn", "--data-dir", options.dataDir, "--port", options.port, "--http-actions-port", options.httpActionsPort];
}

/** A folder with a manifest is a package. */
async function pusherOf(folder: string): Promise<Pusher> {
  if (!existsSync(folder)) throw new CommandFailure(`There is no folder ${folder}. Name a functions folder, or that of a package.`, 4);
  if (!["manifest.yaml", "manifest.yml"].some((name) => existsSync(join(folder, name)))) return functionsPusher(functionsFolder(folder));
  const { packagePusher } = await import("../dev/package-pusher.ts");
  return packagePusher(folder);
}

async function serve(options: {
  readonly pusher: Pusher;
  readonly connection: Connection;
  readonly once: boolean;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { pusher, connection } = options;
  const pushOnce = async (): Promise<boolean> => {
    try {
      for (const line of await pusher.push(connection)) success(line);
      return true;
    } catch (error) {
      if (!(error instanceof CommandFailure || error instanceof PlinthError)) throw error;
      problem(error.message);
      return false;
    }
  };
  const pushed = await pushOnce();
  if (options.once) {
    if (!pushed) throw new CommandFailure("The push failed.", 4);
    return;
  }
  note("Watching for changes; Ctrl-C ends.");
  const logs = followLogs(connection, { follow: true, signal: options.signal }, (entry) => print(describeLogEntry(entry))).then(() => {
    if (!options.signal.aborted) problem("The host went away. Saving pushes again when it is back; its logs come with a new `plinth dev`.");
  });
  await Promise.all([logs, pushOnChange(pusher, pushOnce, options.signal)]);
}

/** Pushes after each change until `signal` fires; a change during a push causes one more. */
async function pushOnChange(pusher: Pusher, pushOnce: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  let wake: (() => void) | undefined;
  let changed = false;
  const watcher = watch(pusher.root, { recursive: true }, (_, file) => {
    if (file !== null && pusher.ignores(file)) return;
    changed = true;
    wake?.();
  });
  signal.addEventListener("abort", () => wake?.());
  while (!signal.aborted) {
    if (!changed) await new Promise<void>((resolve) => (wake = resolve));
    if (signal.aborted) break;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    changed = false;
    await pushOnce();
  }
  watcher.close();
}
