/**
 * The callback of scripts: where a report reaches its run. Reports that are late, come twice, name something else or are not signed
 * are refused, written down with their run, and change nothing.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { Database } from "../../database/database.ts";
import { FLOW_ANSWERS, FLOW_SCRIPTS } from "../../database/record-tables.ts";
import { digestOf, placeOfAnswer } from "../answer-tokens.ts";
import type { Flows } from "../flows.ts";
import type { StepLogs } from "../step-logs.ts";
import { forget, keyOf } from "./async-scripts.ts";
import { isSigned, readReport, type ScriptReport } from "./script-report.ts";
import type { AsyncScriptRow } from "./script-records.ts";

export interface ScriptCallbacksParts {
  readonly database: Database;
  readonly stepLogs: StepLogs;
  readonly flows: () => Pick<Flows, "answerByToken" | "refuseAnswer">;
}

export interface GivenReport {
  readonly token: string;
  readonly body: string;
  readonly signature: string;
  /** `http` for reports from outside. */
  readonly via: string;
}

export class ScriptCallbacks {
  readonly #parts: ScriptCallbacksParts;

  constructor(parts: ScriptCallbacksParts) {
    this.#parts = parts;
  }

  async take({ token, body, signature, via }: GivenReport): Promise<void> {
    const { database, flows, stepLogs } = this.#parts;
    if (!isSigned(token, body, signature)) {
      await flows().refuseAnswer(token, { message: "The signature is not that of the body.", via });
      throw plinthError("AnswerRefused", { detail: "its signature is wrong." });
    }
    const report = readReport(body);
    const place = placeOfAnswer(token);
    const script =
      place === undefined
        ? undefined
        : await database.read(place.scope, async ({ records }) => {
            const answer = await records.get(FLOW_ANSWERS, [place.run, digestOf(token)]);
            return answer === undefined ? undefined : await records.get(FLOW_SCRIPTS, keyOf(place.scope, { run: place.run, ...answer }));
          });
    if (script !== undefined && !isAbout(report, script)) {
      await flows().refuseAnswer(token, { message: "It names another run, script or context than its token.", via });
      throw plinthError("AnswerRefused", { detail: "it is about something else." });
    }
    if (script !== undefined && place !== undefined && report.logs.length > 0) {
      const log = stepLogs.at({ scope: place.scope, run: script.run, key: script.key, attempt: script.attempt, node: script.node });
      for (const line of report.logs) log.line(line);
      await log.end();
    }
    await flows().answerByToken({ token, via, result: resultOf(report) });
    if (script !== undefined && place !== undefined)
      await database.update(place.scope, async ({ records }) => forget(records, place.scope, script));
  }
}

function isAbout(report: ScriptReport, { run, node, name }: AsyncScriptRow): boolean {
  return report.workflow_log_id === run && report.script_api_name === node && report.s3_key === name;
}

function resultOf({ success, result, error, code, retryable }: ScriptReport): Parameters<Flows["answerByToken"]>[0]["result"] {
  if (success) return { kind: "output", output: result };
  return { kind: "error", error: { code: code ?? "FunctionError", message: error ?? "", retryable: retryable === true } };
}
