import { Command } from "commander";
import type { ConnectionOptions } from "../connection.ts";
import { backup } from "./backup.ts";
import { branches } from "./branches.ts";
import { deploy } from "./deploy.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { env } from "./env.ts";
import { events } from "./events.ts";
import { flow } from "./flow.ts";
import { keyrings } from "./keyrings.ts";
import { keys } from "./keys.ts";
import { logs } from "./logs.ts";
import { limits, usage } from "./limits.ts";
import { manifest } from "./manifest.ts";
import { operations } from "./operations.ts";
import { packageCommand } from "./package.ts";
import { restore } from "./restore.ts";
import { run } from "./run.ts";
import { snapIns } from "./snap-ins.ts";
import { sync } from "./sync.ts";
import { tenants } from "./tenants.ts";

/** Adds one command to the program. */
export type AddCommand = (program: Command) => void;

/** Options that every command has. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** All commands, in the order of the help page. */
export const COMMANDS: readonly AddCommand[] = [
  dev,
  deploy,
  packageCommand,
  snapIns,
  sync,
  run,
  operations,
  flow,
  logs,
  events,
  env,
  branches,
  tenants,
  keys,
  keyrings,
  limits,
  usage,
  manifest,
  doctor,
  backup,
  restore,
];
