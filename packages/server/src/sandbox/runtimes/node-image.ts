/** Images of programs that node runs: node, its libraries, and the program's folder as `/app`. */
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { prepareRuntimeImage, type RunnerProgram } from "../jail/image.ts";
import type { ProgramImage } from "./runtime-adapter.ts";

/** Where node lies in a cell. */
export const NODE_IN_CELL = "/usr/bin/node";
/** Where the program lies in a cell. */
export const APP_FOLDER = "/app";

export async function prepareNodeImage(options: {
  readonly name: RuntimeName;
  readonly program: RunnerProgram;
  readonly flags: readonly string[];
  /** File of the program that is run; `runner.js` when absent. */
  readonly script?: string;
  readonly profile?: ProgramImage["profile"];
  readonly addressBytes?: number;
  readonly runtime: Runtime;
  readonly imageFolder?: string;
}): Promise<ProgramImage> {
  const image = await prepareRuntimeImage({
    program: options.program,
    nowMs: options.runtime.nowMs(),
    ...(options.imageFolder === undefined ? {} : { baseFolder: options.imageFolder }),
  });
  return {
    runtime: options.name,
    key: image.key,
    mounts: [{ source: image.nodeFile, target: NODE_IN_CELL }, ...image.libraries, { source: image.appFolder, target: APP_FOLDER }],
    command: [NODE_IN_CELL, ...options.flags, `${APP_FOLDER}/${options.script ?? "runner.js"}`],
    environment: {},
    profile: options.profile ?? "jit",
    ...(options.addressBytes === undefined ? {} : { addressBytes: options.addressBytes }),
    used: (nowMs) => image.used(nowMs),
  };
}
