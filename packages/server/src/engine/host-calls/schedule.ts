/** `ctx.scheduler`: in mutations part of the transaction, in actions at once. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Transaction } from "../../database/database.ts";
import { cancelScheduled, scheduleFunction, type ScheduleRequest } from "../../schedules/scheduled-functions.ts";
import type { CallFrame } from "../call-frame.ts";
import { KIND_NAMES, resolvePublic } from "../intake.ts";
import { ACTIONS, type HostCall } from "./host-call.ts";
import { checkedArgsOf, numberOf, parseCall, pathOf, textOf } from "./parse-call.ts";

export const schedule: HostCall = {
  kinds: ["mutation"],
  perform: async (frame, argText) =>
    JSON.stringify(await scheduleFunction(transactionOf(frame), await parseSchedule(frame, "1.0/schedule", argText))),
};

export const scheduleFromAction: HostCall = {
  kinds: ACTIONS,
  perform: async (frame, argText) => {
    const request = await parseSchedule(frame, "1.0/actions/schedule", argText);
    return JSON.stringify(
      await frame.options.core.parts.database.update(frame.options.run.accepted.scope, (transaction) =>
        scheduleFunction(transaction, request),
      ),
    );
  },
};

export const cancelJob: HostCall = {
  kinds: ["mutation"],
  perform: async (frame, argText) => {
    await cancelScheduled(transactionOf(frame), { id: textOf(parseCall("1.0/cancel_job", argText), "id"), nowMs: frame.options.nowMs });
    return "null";
  },
};

export const cancelJobFromAction: HostCall = {
  kinds: ACTIONS,
  perform: async (frame, argText) => {
    const { parts } = frame.options.core;
    const id = textOf(parseCall("1.0/actions/cancel_job", argText), "id");
    await parts.database.update(frame.options.run.accepted.scope, (transaction) =>
      cancelScheduled(transaction, { id, nowMs: parts.runtime.nowMs() }),
    );
    return "null";
  },
};

/** The target is looked up now, so that a wrong name fails where it is written; its arguments are checked when it runs. */
async function parseSchedule(frame: CallFrame, op: string, argText: string): Promise<ScheduleRequest> {
  const fields = parseCall(op, argText);
  const path = pathOf(fields);
  const { argsText } = checkedArgsOf(fields);
  const fn = await resolvePublic(frame.options.core.parts, {
    scope: frame.options.run.accepted.scope,
    path,
    version: frame.options.version.digest,
    internalAllowed: true,
  });
  if (fn.kind !== "mutation" && fn.kind !== "action") {
    throw plinthError("InvalidArgument", {
      detail: `Only mutations and actions can be scheduled; ${path} is defined as ${KIND_NAMES[fn.kind]}.`,
    });
  }
  const { causeDepth } = frame.options.run.accepted.request.actor;
  return {
    path,
    kind: fn.kind,
    ...(causeDepth === undefined ? {} : { causeDepth }),
    argsText,
    dueMs: numberOf(fields, "ts") * 1000,
    nowMs: frame.options.transaction === undefined ? frame.options.core.parts.runtime.nowMs() : frame.options.nowMs,
  };
}

function transactionOf(frame: CallFrame): Transaction {
  const { transaction } = frame.options;
  if (transaction === undefined) throw plinthError("EffectDenied", { detail: "An action has no transaction." });
  return transaction;
}
