/** `plinth flow bulk`: changes of many runs, counted first. */
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { confirmOrFail } from "../../confirm.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { note, print, printJson, progress, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { jsonArgument } from "./flow-files.ts";
import { listOf, textsOf, numberOf, part, text } from "./json-parts.ts";

const ACTIONS = ["cancel", "pause", "resume", "retry", "signal", "rerun", "move"] as const;
type Action = (typeof ACTIONS)[number];

interface BulkOptions {
  readonly flow?: string;
  readonly status?: readonly string[];
  readonly why?: string;
  readonly version?: string;
  readonly startedAfter?: string;
  readonly startedBefore?: string;
  readonly max?: string;
  readonly reason?: string;
  readonly node?: string;
  readonly input?: string;
  readonly name?: string;
  readonly payload?: string;
  readonly to?: string;
  readonly id?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addBulk(group: Command): void {
  group
    .command("bulk")
    .description("Change many runs, after counting them; may be repeated with --id after a failure, and changes no run twice")
    .argument("<action>", ACTIONS.join(", "))
    .option("--flow <name>", "runs of this flow")
    .option("--status <status...>", "running, waiting, paused, undoing, completed, failed, cancelled")
    .option("--why <code>", "code of the reason why they wait, or of their error, such as awaiting_signal or timeout")
    .option("--version <digest>", "runs of this version")
    .option("--started-after <time>", "such as 2030-01-31T09:00:00Z")
    .option("--started-before <time>")
    .option("--max <count>", "change at most so many, the newest ones")
    .option("--reason <text>", "of cancel and pause, for people")
    .option("--node <node>", "of retry; where each run failed when absent")
    .option("--input <json>", "of retry and rerun, or @file")
    .option("--name <name>", "of signal")
    .option("--payload <json>", "of signal, or @file")
    .option("--to <version>", "of move")
    .option("--id <id>", "goes on with a change that was begun")
    .option("--dry-run", "only count")
    .option("--yes", "do not ask")
    .action((action: string, options: BulkOptions, command) => bulk(action, options, command.optsWithGlobals()));
}

async function bulk(name: string, options: BulkOptions, globals: GlobalOptions): Promise<void> {
  const kind = ACTIONS.find((known) => known === name);
  if (kind === undefined) throw new CommandFailure(`There is no action ${name}; it is one of ${ACTIONS.join(", ")}.`, 4);
  const connection = findConnection(globals);
  const asked = { filter: filterOf(options), action: actionOf(kind, options) };
  const max = options.max === undefined ? Infinity : Number(options.max);
  if (!(max >= 1)) throw new CommandFailure("--max is a number of runs, such as 100.", 4);
  const count = await progress("counting runs", () =>
    slices(connection, { ...asked, dryRun: true }, { max, id: options.id, onSlice: () => undefined }),
  );
  if (options.dryRun === true || count.done.length === 0) {
    if (globals.json === true) printJson({ id: count.id, matched: count.done.length, runs: count.done });
    else {
      for (const id of count.done) print(id);
      success(`${count.done.length} runs would be changed by ${kind}; nothing was changed`);
    }
    return;
  }
  await confirmOrFail(`${count.done.length} runs get: ${kind}.`, options.yes === true);
  note(`This change has the id ${count.id}: after a failure, the same command with --id ${count.id} goes on.`);
  const made = await progress(`${kind}: 0 of ${count.done.length}`, (update) =>
    slices(connection, asked, {
      max,
      id: count.id,
      onSlice: ({ done, already, refused }) => update(`${kind}: ${done.length + already.length + refused.length} of ${count.done.length}`),
    }),
  );
  if (globals.json === true) printJson({ ...made });
  else for (const each of made.refused) note(`${text(each, "id")}: ${text(each, "message")}`);
  const already = made.already.length === 0 ? "" : `, ${made.already.length} had it already`;
  const summary = `${made.done.length} done${already}, ${made.refused.length} refused`;
  if (made.refused.length > 0) throw new CommandFailure(summary, 1);
  if (globals.json !== true) success(summary);
}

interface Made {
  readonly id: string;
  readonly done: readonly string[];
  readonly already: readonly string[];
  readonly refused: readonly Json[];
}

interface Slices {
  readonly max: number;
  readonly id: string | undefined;
  readonly onSlice: (made: Made) => void;
}

/** As many runs as the host takes at a time. */
const SLICE = 200;

async function slices(connection: Connection, body: { readonly [name: string]: Json }, { max, id, onSlice }: Slices): Promise<Made> {
  let made: Made = { id: id ?? "", done: [], already: [], refused: [] };
  let matched = 0;
  for (let after: string | undefined; ;) {
    const place = { ...(made.id === "" ? {} : { id: made.id }), ...(after === undefined ? {} : { after }) };
    const json = await call(connection, "/v1/flow-runs/changes", { body: { ...body, ...place, max: Math.min(SLICE, max - matched) } });
    made = {
      id: text(json, "id"),
      done: [...made.done, ...textsOf(json, "done")],
      already: [...made.already, ...textsOf(json, "already")],
      refused: [...made.refused, ...listOf(json, "refused")],
    };
    onSlice(made);
    matched += numberOf(json, "matched");
    const next = part(json, "next");
    if (typeof next !== "string" || matched >= max) return made;
    after = next;
  }
}

function filterOf({ flow, status, why, version, startedAfter, startedBefore }: BulkOptions): Json {
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(status === undefined ? {} : { status }),
    ...(why === undefined ? {} : { reason: why }),
    ...(version === undefined ? {} : { version }),
    ...(startedAfter === undefined ? {} : { startedAfter }),
    ...(startedBefore === undefined ? {} : { startedBefore }),
  };
}

/** Options of other actions are mistakes. */
const OPTIONS_OF: Readonly<Record<Action, readonly (keyof BulkOptions)[]>> = {
  cancel: ["reason"],
  pause: ["reason"],
  resume: [],
  retry: ["node", "input"],
  signal: ["name", "payload"],
  rerun: ["input"],
  move: ["to"],
};

function actionOf(kind: Action, options: BulkOptions): Json {
  const all = new Set(Object.values(OPTIONS_OF).flat());
  const wrong = [...all].find((name) => options[name] !== undefined && !OPTIONS_OF[kind].includes(name));
  if (wrong !== undefined) throw new CommandFailure(`--${wrong} has no effect on ${kind}.`, 4);
  if (kind === "signal" && options.name === undefined) throw new CommandFailure("A signal has a name: --name <name>.", 4);
  const { reason, node, input, name, payload, to } = options;
  return {
    kind,
    ...(reason === undefined ? {} : { reason }),
    ...(node === undefined ? {} : { node }),
    ...(input === undefined ? {} : { input: jsonArgument(input, "The input") }),
    ...(name === undefined ? {} : { name }),
    ...(payload === undefined ? {} : { payload: jsonArgument(payload, "The payload") }),
    ...(kind === "move" ? { to: to ?? "head" } : {}),
  };
}
