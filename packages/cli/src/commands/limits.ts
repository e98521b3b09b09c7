import type { Command } from "commander";
import { call, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { print, printJson, success } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface CallOptions {
  readonly rate?: string;
  readonly concurrency?: string;
  readonly cpuMs?: string;
  readonly wallMs?: string;
  readonly memoryMib?: string;
  readonly resultKib?: string;
}
interface TenantOptions extends CallOptions {
  readonly budget?: string;
  readonly period?: string;
  readonly warnAt?: string;
  readonly throttleAt?: string;
  readonly whenSpent?: string;
}

export const limits: AddCommand = (program) => {
  const group = program.command("limits").description("Rates, limits of single functions and the tenant's budget");
  group
    .command("show")
    .description("Show what is set")
    .action(async (_, command: Command) => printJson(await call(findConnection(command.optsWithGlobals<GlobalOptions>()), "/v1/limits")));
  withCallOptions(group.command("function"))
    .description("Limit a function; without options its limits go")
    .argument("<path>", "path, or its beginning with * behind it")
    .action(async (path: string, _, command: Command) => {
      const options = command.optsWithGlobals<CallOptions & GlobalOptions>();
      const connection = findConnection(options);
      const own = { ...wholeLimits(options), ...callLimits(options) };
      const { functions } = (await call(connection, "/v1/limits")) as { readonly functions: readonly { readonly function: string }[] };
      const others = functions.filter((each) => each.function !== path);
      const isFree = Object.keys(own).length === 0;
      const changed = isFree ? others : [...others, { function: path, ...own }];
      await call(connection, "/v1/limits", { method: "PUT", body: { functions: changed as unknown as Json } });
      success(isFree ? `${path} has the host's limits` : `${path} is limited`);
    });
  withCallOptions(group.command("tenant"))
    .description("Limit the tenant as a whole and set its budget (operator); `none` takes a rate or a budget away")
    .option("--budget <amount>", "what may be spent in a period, in the host's currency")
    .option("--period <period>", "day or month")
    .option("--warn-at <share>", "share of the budget at which an event warns, 0.8 unless given")
    .option("--throttle-at <share>", "share at which calls begin to be slowed down, 0.9 unless given")
    .option("--when-spent <what>", "degrade or refuse")
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<TenantOptions & GlobalOptions>();
      const calls = callLimits(options);
      const body = {
        ...wholeLimits(options),
        ...(Object.keys(calls).length === 0 ? {} : { calls }),
        ...(options.budget === undefined ? {} : { budget: options.budget === "none" ? null : budgetOf(options) }),
      };
      if (Object.keys(body).length === 0) throw new CommandFailure("Nothing to set: `plinth limits tenant --help` lists what there is.", 2);
      await call(findConnection(options), "/v1/limits", { method: "PUT", body });
      success("the tenant's limits are set");
    });
};

function withCallOptions(command: Command): Command {
  return command
    .option("--rate <perSecond>", "calls a second")
    .option("--concurrency <n>", "calls at the same time")
    .option("--cpu-ms <ms>", "time of one call in user code")
    .option("--wall-ms <ms>", "time of one call from start to end")
    .option("--memory-mib <MiB>", "memory of one call")
    .option("--result-kib <KiB>", "result of one call");
}

function wholeLimits({ rate, concurrency }: CallOptions): Record<string, Json> {
  return {
    ...(rate === undefined ? {} : { rate: rate === "none" ? null : { perSecond: numberOf("rate", rate) } }),
    ...(concurrency === undefined ? {} : { concurrency: numberOf("concurrency", concurrency) }),
  };
}

function callLimits({ cpuMs, wallMs, memoryMib, resultKib }: CallOptions): Record<string, Json> {
  return {
    ...(cpuMs === undefined ? {} : { cpuMs: numberOf("cpu-ms", cpuMs) }),
    ...(wallMs === undefined ? {} : { wallMs: numberOf("wall-ms", wallMs) }),
    ...(memoryMib === undefined ? {} : { memoryBytes: numberOf("memory-mib", memoryMib) * 1024 * 1024 }),
    ...(resultKib === undefined ? {} : { resultBytes: numberOf("result-kib", resultKib) * 1024 }),
  };
}

function budgetOf({ budget, period, warnAt, throttleAt, whenSpent }: TenantOptions): Record<string, Json> {
  return {
    amount: numberOf("budget", budget),
    ...(period === undefined ? {} : { period }),
    ...(warnAt === undefined ? {} : { warnAt: numberOf("warn-at", warnAt) }),
    ...(throttleAt === undefined ? {} : { throttleAt: numberOf("throttle-at", throttleAt) }),
    ...(whenSpent === undefined ? {} : { whenSpent }),
  };
}

function numberOf(option: string, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text.trim() === "" || !Number.isFinite(value))
    throw new CommandFailure(`--${option} takes a number, not '${text ?? ""}'.`, 2);
  return value;
}

export const usage: AddCommand = (program) => {
  program
    .command("usage")
    .description("What the tenant used and what it cost, by day")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const answer = (await call(findConnection(globals), "/v1/usage")) as {
        readonly stage: string;
        readonly spent: number;
        readonly days: readonly Readonly<Record<string, number | string>>[];
      };
      if (globals.json === true) return printJson(answer as unknown as Json);
      print(`stage ${answer.stage}, spent ${answer.spent}`);
      for (const { day, calls, cost, cpuMs, gibSeconds, egressBytes } of answer.days)
        print(
          `${day}  ${calls} calls  ${cost}  ${Math.round(Number(cpuMs))} ms CPU  ${Number(gibSeconds).toFixed(3)} GiB·s  ${egressBytes} bytes out`,
        );
    });
};
