/**
 * Scripts that run apart from their run (`mode: async`): the run waits without a worker, the script runs as a stored invocation, and
 * its report resumes the run.
 *
 * S1 A context and what keeps it are stored before the invocation is, and the invocation before the run waits. After a crash in
 *    between, the same is done again under the same key: there is one invocation for each execution that was asked for.
 * S2 The invocation is given the name of its context and a token, nothing else. Whatever reaches the run goes through the callback
 *    (`script-callbacks.ts`), which is looked for when the script has ended and is written down nowhere.
 * S3 A report that could not be delivered is the stored result of its invocation; the reaper delivers it.
 */
import { parseValueText } from "@plinth/core/documents/values.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { scriptContext } from "@plinth/core/flow/script-context.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Database, Records, Scope } from "../../database/database.ts";
import { FLOW_ANSWERS, FLOW_RUNS, FLOW_SCRIPTS, FLOW_VALUES } from "../../database/record-tables.ts";
import { inlinePath } from "../../engine/inline-code.ts";
import type { Engine, InvocationOutcome } from "../../engine/invocation.ts";
import { nativePath, type NativeCode, type NativeCodes, type NativeContext } from "../../engine/native-code.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Log } from "../../telemetry/log.ts";
import { type AnswerTokens, digestOf, newAnswerToken } from "../answer-tokens.ts";
import { bundleOfCall } from "../bundles/bundle-of-call.ts";
import type { CallOf, CallOfRun, Deferral } from "../calls/call.ts";
import { codeOf, inlineResult } from "../calls/inline-code.ts";
import type { RunRow } from "../flow-records.ts";
import type { StepLogs } from "../step-logs.ts";
import type { LargeValues } from "../values/large-values.ts";
import type { ScriptCallbacks } from "./script-callbacks.ts";
import { contextName, readContext, storeContext } from "./script-contexts.ts";
import type { AsyncScriptRow } from "./script-records.ts";
import { type ScriptReport, signatureOf } from "./script-report.ts";

export interface AsyncScriptsParts {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly engine: () => Pick<Engine, "enqueue" | "get" | "cancel">;
  readonly callbacks: () => Pick<ScriptCallbacks, "take">;
  readonly values: Pick<LargeValues, "described">;
  readonly stepLogs: StepLogs;
  readonly tokens: AnswerTokens;
  readonly runtime: Runtime;
  readonly log: Log;
}

/** No operation has a slug with a slash in it. */
const PATH = nativePath("flows/script");

export class AsyncScripts {
  readonly natives: NativeCodes = { resolve: (_scope, path) => Promise.resolve(path === PATH ? this.#native : undefined) };
  readonly #parts: AsyncScriptsParts;
  readonly #native: NativeCode = {
    kind: "action",
    wallMs: limit("inlineWallMsMax") + limit("flowReportMs"),
    run: (context) => this.#run(context),
  };

  constructor(parts: AsyncScriptsParts) {
    this.#parts = parts;
  }

  /** S1 */
  async begin(call: CallOf<"inline">, of: CallOfRun): Promise<Deferral> {
    const { scope, row, command } = of;
    const key = keyOf(scope, { run: row.id, ...command });
    const known = await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_SCRIPTS, key));
    const script = known ?? (await this.#store(call, of));
    if (script.invocation === null) await this.#enqueue(scope, row, script);
    return { ok: "later", deadlineMs: script.untilMs };
  }

  async #store(call: CallOf<"inline">, of: CallOfRun): Promise<AsyncScriptRow> {
    const { database, blobs, runtime, values } = this.#parts;
    const { scope, row, command, program, state } = of;
    const context = scriptContext(program, state, command.key);
    const workflow = context === null ? null : await values.described(scope, context);
    const inputs = { ...(isRecord(call.input.json) ? call.input.json : {}), workflow };
    const stored = await storeContext(blobs, scope, { code: codeOf(call, of), inputs });
    const atMs = runtime.nowMs();
    const { key, attempt, node } = command;
    const script: AsyncScriptRow = {
      name: contextName(scope, { run: row.id, node, atMs }),
      ...stored,
      ...{ run: row.id, key, attempt, node, language: call.language, createdMs: atMs, untilMs: atMs + command.timeoutMs },
      timeoutMs: Math.min(command.timeoutMs, limit("inlineWallMsMax")),
      bundle: bundleOfCall(call, of).bundle ?? null,
      ...{ invocation: null, tries: 1 },
    };
    return await database.update(scope, async ({ records }) => {
      // Steps of one loop may begin in the same millisecond.
      const same = await records.range(FLOW_SCRIPTS, { prefix: [scope.tenant, scope.branch, row.id], limit: limit("flowFramesMax") });
      const taken = new Set(same.map(({ value }) => value.name));
      let name = script.name;
      for (let later = 1; taken.has(name); later += 1) name = contextName(scope, { run: row.id, node, atMs: atMs + later });
      const named = { ...script, name };
      records.put(FLOW_SCRIPTS, keyOf(scope, named), named);
      records.put(FLOW_VALUES, [row.id, script.digest], { digest: script.digest, bytes: script.bytes, contentType: "application/json" });
      return named;
    });
  }

  async #enqueue(scope: Scope, row: RunRow, script: AsyncScriptRow): Promise<void> {
    const { database, runtime, engine, tokens } = this.#parts;
    const { key, attempt, node, tries } = script;
    const { seed, token } = tokens.make({ scope, run: row.id });
    await database.update(scope, async ({ records }) => {
      records.put(FLOW_ANSWERS, [row.id, digestOf(token)], { key, attempt, node, kind: "call", approver: null });
    });
    const { id } = await engine().enqueue({
      ...scope,
      ...{ actor: row.actor, source: row.source, internalAllowed: true, priority: "normal", path: PATH },
      argsText: JSON.stringify({ run: row.id, key, attempt, seed }),
      deadlineMs: Math.max(1, script.untilMs - runtime.nowMs()),
      idempotencyKey: `${key}:${attempt}:${tries}`,
      comparedText: "",
    });
    await this.#change(scope, script, (latest) => ({ ...latest, invocation: id }));
  }

  /** Runs it again; false when it has been run as often as it may. */
  async again(scope: Scope, script: AsyncScriptRow): Promise<boolean> {
    if (script.tries >= limit("flowScriptTriesMax")) return false;
    const next = await this.#change(scope, script, (latest) => ({ ...latest, invocation: null, tries: script.tries + 1 }));
    if (next !== undefined) await this.ask(scope, next);
    return true;
  }

  /** Stores its invocation, where a crash came before that. */
  async ask(scope: Scope, script: AsyncScriptRow): Promise<void> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_RUNS, [script.run]));
    if (row !== undefined) await this.#enqueue(scope, row, script);
  }

  async #change(
    scope: Scope,
    script: AsyncScriptRow,
    change: (row: AsyncScriptRow) => AsyncScriptRow,
  ): Promise<AsyncScriptRow | undefined> {
    return await this.#parts.database.update(scope, async ({ records }) => {
      const latest = await records.get(FLOW_SCRIPTS, keyOf(scope, script));
      if (latest === undefined) return undefined;
      const next = change(latest);
      records.put(FLOW_SCRIPTS, keyOf(scope, script), next);
      return next;
    });
  }

  /** Tells its run how it ended; by a token of its own where the invocation's is gone. */
  async deliver(scope: Scope, script: AsyncScriptRow, report: ScriptReport, token?: string): Promise<void> {
    const { database, callbacks, runtime } = this.#parts;
    let own = token;
    if (own === undefined) {
      const made = newAnswerToken({ scope, run: script.run }, runtime);
      own = made;
      const { run, key, attempt, node } = script;
      await database.update(scope, async ({ records }) => {
        records.put(FLOW_ANSWERS, [run, digestOf(made)], { key, attempt, node, kind: "call", approver: null });
      });
    }
    const body = JSON.stringify(report);
    await callbacks().take({ token: own, body, signature: signatureOf(own, body), via: "script" });
  }

  /** Nobody waits for it: its invocation is ended and its context given up. */
  async drop(scope: Scope, script: AsyncScriptRow): Promise<void> {
    if (script.invocation !== null) await this.#parts.engine().cancel(scope, script.invocation);
    await this.#parts.database.update(scope, async ({ records }) => forget(records, scope, script));
  }

  /** What the stored invocation does. It gives its report, as a text. */
  async #run(context: NativeContext): Promise<string> {
    const { scope } = context;
    const { script, token } = await this.#scriptOf(context);
    if (script === undefined) return JSON.stringify("nobody waits for it");
    const report = await this.#execute(context, script);
    await this.#delivered(scope, { script, report, token });
    return JSON.stringify(JSON.stringify(report));
  }

  async #scriptOf({ request, scope }: NativeContext): Promise<ScriptToRun> {
    // Its own request, from the store. One that an earlier version of the host wrote has no seed, and reports by a token of its own.
    const { run, key, attempt, seed } = JSON.parse(request.argsText) as { run: string; key: string; attempt: number; seed?: string };
    const token = seed === undefined ? undefined : (this.#parts.tokens.of({ scope, run }, seed) ?? undefined);
    const place = keyOf(scope, { run, key, attempt });
    return { script: await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_SCRIPTS, place)), token };
  }

  async #execute(context: NativeContext, script: AsyncScriptRow): Promise<ScriptReport> {
    const { blobs, runtime, stepLogs } = this.#parts;
    const { code, inputs } = await readContext(blobs, context.scope, script);
    const log = stepLogs.at({ scope: context.scope, run: script.run, key: script.key, attempt: script.attempt, node: script.node });
    const sinceMs = runtime.monotonicMs();
    let outcome: InvocationOutcome;
    try {
      outcome = await context.call(
        {
          path: inlinePath(script.language),
          ...(script.bundle === null ? {} : { bundle: script.bundle }),
          argsText: JSON.stringify({ code, inputs, names: ["workflow"], timeoutMs: script.timeoutMs, streams: true }),
        },
        { onEvent: log.onEvent },
      );
    } finally {
      await log.end();
    }
    const common = { ...reportOf(script), logs: [], execution_time_ms: Math.round(runtime.monotonicMs() - sinceMs) };
    const result = inlineResult(outcome, code);
    if (result.ok === true) return { ...common, success: true, result: result.output, error: null };
    // The host stops: the invocation is found by the reaper.
    if (result.ok === "later" || (outcome.status === "failed" && outcome.error.code === "ShuttingDown"))
      throw plinthError("ShuttingDown", {});
    const { code: kind, message, retryable } = result.error;
    return { ...common, success: false, result: null, error: message, code: kind, retryable };
  }

  /** S3 */
  async #delivered(
    scope: Scope,
    { script, report, token }: { readonly script: AsyncScriptRow; readonly report: ScriptReport; readonly token: string | undefined },
  ): Promise<void> {
    const { runtime, log } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.deliver(scope, script, report, token);
      } catch (error) {
        // Refused: nobody waits for it any longer, and that is written down.
        if (error instanceof PlinthError && error.spec.fault === "caller") return;
        if (attempt >= limit("flowReportAttemptsMax")) {
          log.warn(
            { err: error, run: script.run, step: script.key },
            "the report of a script could not be delivered; the reaper delivers it",
          );
          return;
        }
        await runtime.sleep(limit("flowReportPauseMs") * attempt);
      }
    }
  }
}

interface ScriptToRun {
  readonly script: AsyncScriptRow | undefined;
  readonly token: string | undefined;
}

export function keyOf(scope: Scope, { run, key, attempt }: Pick<AsyncScriptRow, "run" | "key" | "attempt">) {
  return [scope.tenant, scope.branch, run, `${key}:${attempt}`] as const;
}

export function forget(records: Records, scope: Scope, script: AsyncScriptRow): void {
  records.delete(FLOW_SCRIPTS, keyOf(scope, script));
  records.delete(FLOW_VALUES, [script.run, script.digest]);
}

export function reportOf({ run, node, name }: AsyncScriptRow): Pick<ScriptReport, "workflow_log_id" | "script_api_name" | "s3_key"> {
  return { workflow_log_id: run, script_api_name: node, s3_key: name };
}

/** The report that is the result of an invocation; undefined for another result. */
export function reportIn(valueText: string): string | undefined {
  const value = parseValueText(valueText);
  return typeof value === "string" && value.startsWith("{") ? value : undefined;
}
