/** Runs a flow against mocks. Code of nodes is run in its jail where its mock says so; nothing else reaches the outside, or the store. */
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import { checkMocks } from "@plinth/core/flow/check-mocks.ts";
import { dryReport } from "@plinth/core/flow/dry-report.ts";
import { type CallCommand, DryRun, type RealAnswer } from "@plinth/core/flow/dry-run.ts";
import { compileFlow, type FlowProgram } from "@plinth/core/flow/program.ts";
import { limit } from "@plinth/core/limits.ts";
import { newInvocationId } from "../../engine/invocation-ids.ts";
import { inlineCall } from "../calls/inline.ts";
import { stepErrorOf } from "../calls/step-result.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import type { InvocationEvent, LogLine } from "../../engine/invocation.ts";
import { type StepLogWriting, StepLogs } from "../step-logs.ts";
import type { StepResult } from "../calls/call.ts";
import type { RunRow } from "../flow-records.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { versionNamed } from "../version-names.ts";
import type { DryRunOutcome, DryRunRequest } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

export async function dryRunOnHost(parts: UpkeepParts, request: DryRunRequest): Promise<DryRunOutcome> {
  const found = await programOf(parts, request);
  if (!found.ok) return found;
  const { program, version } = found;
  const wrong = checkMocks(program, request.mocks);
  if (wrong.length > 0)
    return { ok: false, findings: wrong.map(({ mock, problem }) => finding(`mocks.${mock}`, `The mock \`${mock}\` ${problem}`)) };
  const { scope, actor, atMs, mocks, inputs } = request;
  const id = newInvocationId(parts.runtime);
  const flow = program.definition.name;
  const run = new DryRun(program, {
    run: { id, flow, version, company: { id: scope.tenant, name: scope.tenant }, environment: scope.branch },
    trigger: { json: request.input },
    ...{ atMs, mocks, inputs },
  });
  const functions = (await parts.deploys.version(scope))?.digest ?? null;
  const row: RunRow = {
    ...{ id, flow, version, trigger: program.definition.trigger.type, source: "native", functions, actor, startedMs: atMs, endedMs: null },
    ...{ status: "running", reason: null, error: null, seq: 0, snapshotSeq: 0, answers: [] },
  };
  const logs = new DryLogs({ ...parts, log: parts.calls.log });
  await goThrough(run, parts.runtime, (call) => really(parts, request, { run, row, call, logs }));
  const result = run.result();
  const report = dryReport(result);
  const steps = first(result.notes.slice(0, limit("flowDryRunPathMax")));
  return { ok: true, report: { ...report, calls: first(report.calls) }, steps, logs: logs.lines };
}

/** As many as an answer may have. */
function first<T>(list: readonly T[]): readonly T[] {
  let left = limit("flowHistoryBytesShownMax");
  const end = list.findIndex((item) => (left -= JSON.stringify(item).length) < 0);
  return end < 0 ? list : list.slice(0, end);
}

const SLICE = 10;

/** Others get their turn; what takes too long is called endless. `perform`: makes a call, or it stays without an answer. */
export async function goThrough(
  run: DryRun,
  runtime: Pick<Runtime, "nowMs" | "sleep">,
  perform: ((call: CallCommand) => Promise<RealAnswer>) | null,
): Promise<void> {
  const endMs = runtime.nowMs() + limit("flowDryRunMs");
  while (!run.isOver && runtime.nowMs() < endMs) {
    const call = run.advance(SLICE);
    if (call === null) await runtime.sleep(0);
    else if (perform === null) return;
    else run.answer(call, await perform(call));
  }
}

interface RealCall {
  readonly run: DryRun;
  readonly row: RunRow;
  readonly call: CallCommand;
  readonly logs: DryLogs;
}

async function really(
  { calls }: UpkeepParts,
  { scope, signal }: DryRunRequest,
  { run, row, call: command, logs }: RealCall,
): Promise<RealAnswer> {
  const { call } = command;
  if (call.kind !== "inline") {
    const message = `only code is run in a dry run, and the step \`${command.node}\` makes a call of the kind \`${call.kind}\`; give its mock an output.`;
    return { kind: "error", error: { code: "mock", message, retryable: false } };
  }
  try {
    const sync = { ...call, mode: "sync" as const };
    const of = { scope, row, program: run.program, state: run.state, command: { ...command, call: sync }, signal };
    const result = await inlineCall.perform({ ...calls, stepLogs: logs }, sync, of);
    return answerOf(result);
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code === "ShuttingDown") throw error;
    return { kind: "error", error: stepErrorOf(error) };
  }
}

function answerOf(result: StepResult): RealAnswer {
  if (result.ok === false) return { kind: "error", error: result.error };
  if ("output" in result) return { kind: "output", output: { json: result.output } };
  return { kind: "error", error: { code: "mock", message: "it answered later, which a dry run does not wait for.", retryable: false } };
}

/** What code prints belongs to no run. */
class DryLogs extends StepLogs {
  readonly lines: LogLine[] = [];

  override begin(): StepLogWriting {
    const line = (printed: LogLine): void => {
      if (this.lines.length < limit("flowLogLinesMax")) this.lines.push(printed);
    };
    const onEvent = (event: InvocationEvent): void => {
      if (event.type === "log") line(event.line);
    };
    return { onEvent, line, end: () => Promise.resolve() };
  }
}

async function programOf(
  { database, definitions }: UpkeepParts,
  { scope, flow }: DryRunRequest,
): Promise<
  | { readonly ok: true; readonly program: FlowProgram; readonly version: string }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] }
> {
  if ("definition" in flow) {
    const { definition, findings } = await definitions.check(scope, flow.definition);
    if (definition === null) return { ok: false, findings };
    return { ok: true, program: compileFlow(definition), version: "unpublished" };
  }
  const version = await versionNamed(database, scope, { flow: flow.name, name: flow.version ?? "head" });
  return { ok: true, program: await definitions.program(scope, flow.name, version), version };
}

function finding(path: string, message: string): FlowFinding {
  return { path, node: null, message, severity: "error" };
}
