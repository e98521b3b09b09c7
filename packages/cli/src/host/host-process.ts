/**
 * Starts the host as a child process and waits until it serves. The command line never loads the host's code: it
 * speaks to it over HTTP, and learns over the process channel when it is ready. The host ends when the channel closes,
 * so it never outlives the command.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CommandFailure } from "../failure.ts";

/** What the host says when it serves. */
export interface HostReady {
  readonly type: "ready";
  readonly url: string;
  readonly siteUrl: string;
  /** `host:port` of gRPC, or null. */
  readonly grpcAddress: string | null;
  readonly adminKey: string;
  readonly tier: number;
  readonly pid: number;
}

export interface HostProcess {
  readonly ready: HostReady;
  /** Resolves with the exit code when the host has ended, for whatever reason. */
  readonly ended: Promise<number>;
  /** Asks the host to end and waits for it. */
  stop(): Promise<number>;
}

const SERVER_MAIN = fileURLToPath(new URL("../../../server/bin/plinth-host.mjs", import.meta.url));

/** What the host makes lives for one call; a young generation of twice the size made it larger and no quicker. */
const HOST_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=8"];

/** Rejects with the host's own sentence when it cannot start. */
export async function startHostProcess(args: readonly string[]): Promise<HostProcess> {
  const child = spawn(process.execPath, [...HOST_FLAGS, SERVER_MAIN, "serve", ...args], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Ctrl-C goes to the command, which then stops the host in order.
    detached: true,
    // Each thread would get a heap of its own, and what a compression leaves free in one is lost to the others.
    env: { ...process.env, MALLOC_ARENA_MAX: process.env["MALLOC_ARENA_MAX"] ?? "2" },
  });
  let errorText = "";
  let serving = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    if (serving) process.stderr.write(chunk);
    else errorText = (errorText + chunk.toString()).slice(-16_384);
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 7)));
  const ready = await Promise.race([readyMessage(child), ended]);
  if (typeof ready === "number")
    throw new CommandFailure(errorText.trim() || `The host ended with code ${ready}.`, ready === 0 ? 7 : ready);
  serving = true;
  return {
    ready,
    ended,
    stop: async () => {
      if (child.connected) child.disconnect();
      return await ended;
    },
  };
}

function readyMessage(child: ChildProcess): Promise<HostReady> {
  return new Promise((resolve) => {
    child.on("message", (message: unknown) => {
      if (typeof message === "object" && message !== null && "type" in message && message.type === "ready") resolve(message as HostReady);
    });
  });
}

/** Runs another entry of the host's program to its end, its output shown as it is. */
export async function runServerCommand(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", SERVER_MAIN, ...args], { stdio: "inherit" });
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 7)));
}
