import { call, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { print, printJson, success } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface LimitOptions extends GlobalOptions {
  readonly rate?: string;
  readonly concurrency?: string;
  readonly cpuMs?: string;
  readonly wallMs?: string;
  readonly budget?: string;
  readonly period?: string;
  readonly whenSpent?: string;
}

export const limits: AddCommand = (program) => {
  const group = program.command("limits").description("Rates, limits of single functions and the tenant's budget");
  group
    .command("show")
    .description("Show what is set")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      printJson(await call(findConnection(globals), "/v1/limits"));
    });
  group
    .command("function")
    .description("Limit a function; without options its limits go")
    .argument("<path>", "path, or its beginning with * behind it")
    .option("--rate <perSecond>", "calls a second")
    .option("--concurrency <n>", "calls at the same time")
    .option("--cpu-ms <ms>", "time in user code")
    .option("--wall-ms <ms>", "time from start to end")
    .action(async (path: string, _, command) => {
      const options: LimitOptions = command.optsWithGlobals();
      const connection = findConnection(options);
      const { functions } = (await call(connection, "/v1/limits")) as { readonly functions: readonly { readonly function: string }[] };
      const own = {
        function: path,
        ...(options.rate === undefined ? {} : { rate: { perSecond: Number(options.rate) } }),
        ...(options.concurrency === undefined ? {} : { concurrency: Number(options.concurrency) }),
        ...(options.cpuMs === undefined ? {} : { cpuMs: Number(options.cpuMs) }),
        ...(options.wallMs === undefined ? {} : { wallMs: Number(options.wallMs) }),
      };
      const others = functions.filter((each) => each.function !== path);
      const changed = Object.keys(own).length === 1 ? others : [...others, own];
      await call(connection, "/v1/limits", { method: "PUT", body: { functions: changed as unknown as Json } });
      success(Object.keys(own).length === 1 ? `${path} has the host's limits` : `${path} is limited`);
    });
  group
    .command("tenant")
    .description("Set rate and budget of the tenant (operator); `none` takes one away")
    .option("--rate <perSecond>", "calls a second")
    .option("--budget <amount>", "what may be spent in a period, in the host's currency")
    .option("--period <period>", "day or month")
    .option("--when-spent <what>", "degrade or refuse")
    .action(async (_, command) => {
      const options: LimitOptions = command.optsWithGlobals();
      const { rate, budget, period, whenSpent } = options;
      const body = {
        ...(rate === undefined ? {} : { rate: rate === "none" ? null : { perSecond: Number(rate) } }),
        ...(budget === undefined
          ? {}
          : {
              budget:
                budget === "none"
                  ? null
                  : {
                      amount: Number(budget),
                      ...(period === undefined ? {} : { period }),
                      ...(whenSpent === undefined ? {} : { whenSpent }),
                    },
            }),
      };
      await call(findConnection(options), "/v1/limits", { method: "PUT", body });
      success("the tenant's limits are set");
    });
};

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
