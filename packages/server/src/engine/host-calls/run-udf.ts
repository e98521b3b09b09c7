/**
 * A query or mutation that calls another one: on the same runner, in the same transaction. When the callee
 * fails, its writes are undone alone and the caller may catch the error.
 */
import type { ValueObject } from "@plinth/core/documents/values.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CallFrame } from "../call-frame.ts";
import { checkArgs, checkReturns } from "../check-values.ts";
import { runFrame } from "../run-frame.ts";
import { checkKind, resolvePublic } from "../intake.ts";
import { asCallerSees, failureOf } from "../outcome-errors.ts";
import { TRANSACTIONS, type HostCall } from "./host-call.ts";
import { checkedArgsOf, choiceOf, parseCall, pathOf } from "./parse-call.ts";

import type { Transaction } from "../../database/database.ts";

export const runUdf: HostCall = {
  kinds: TRANSACTIONS,
  perform: async (frame, argText) => {
    const fields = parseCall("1.0/runUdf", argText);
    const udfType = choiceOf(fields, "udfType", ["query", "mutation", "snapshotQuery"]);
    checkMayCall(frame, udfType);
    return await callNested(frame, { udfType, path: pathOf(fields), ...checkedArgsOf(fields) });
  },
};

interface NestedCall {
  readonly udfType: "query" | "mutation" | "snapshotQuery";
  readonly path: string;
  readonly argsText: string;
  readonly args: ValueObject;
}

function checkMayCall(frame: CallFrame, udfType: NestedCall["udfType"]): void {
  if (frame.options.kind === "query" && udfType !== "query") {
    throw plinthError("EffectDenied", { detail: `A query may call queries only, not a ${udfType}.` });
  }
  const max = limit("callDepthMax");
  if (frame.options.depth + 1 > max)
    throw plinthError("LimitExceeded", { what: "Nesting of function calls", actual: frame.options.depth + 1, max });
}

async function callNested(frame: CallFrame, call: NestedCall): Promise<string> {
  const { core, run, transaction } = frame.options;
  if (transaction === undefined) throw plinthError("EffectDenied", { detail: "An action has no transaction." });
  const fn = await resolvePublic(core.parts, {
    scope: run.accepted.scope,
    path: call.path,
    version: frame.options.version.digest,
    internalAllowed: true,
  });
  checkKind(call.path, fn.kind, call.udfType === "snapshotQuery" ? "query" : call.udfType);
  try {
    checkArgs(fn, call.args, { tables: frame.options.tables, checks: run.checks });
  } finally {
    await run.restAfterChecks();
  }
  if (call.udfType === "snapshotQuery") return await onSnapshot(frame, (snapshot) => runNested(frame, { fn, call, transaction: snapshot }));
  const sub = transaction.nested();
  let kept = false;
  try {
    const valueText = await runNested(frame, { fn, call, transaction });
    sub.keep();
    kept = true;
    return valueText;
  } finally {
    if (!kept) sub.undo();
  }
}

/** Reads the moment of the transaction without its writes; what is read causes no conflicts. */
async function onSnapshot(frame: CallFrame, body: (snapshot: Transaction) => Promise<string>): Promise<string> {
  const { core, run, transaction, nowMs } = frame.options;
  const snapshot = await core.parts.database.begin(run.accepted.scope, {
    readonly: true,
    nowMs,
    ...(transaction === undefined ? {} : { at: transaction.ts }),
  });
  try {
    return await body(snapshot);
  } finally {
    snapshot.release();
  }
}

async function runNested(
  caller: CallFrame,
  nested: { readonly fn: Awaited<ReturnType<typeof resolvePublic>>; readonly call: NestedCall; readonly transaction: Transaction },
): Promise<string> {
  const { fn, call, transaction } = nested;
  const callee = caller.nested({ kind: fn.kind, path: call.path, version: fn.version, transaction });
  const outcome = await runFrame(callee, `[${call.argsText}]`);
  if (outcome.kind !== "ok") throw asCallerSees(failureOf(outcome, caller.options.run.abortReason));
  checkReturns(fn, outcome.valueText, { tables: callee.options.tables, checks: callee.options.run.checks });
  return outcome.valueText;
}
