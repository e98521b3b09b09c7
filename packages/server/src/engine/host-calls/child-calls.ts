/** Calls that an action makes: each is an invocation of its own, with its own transaction. */
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import { atDepth } from "../cause-depth.ts";
import type { CallFrame } from "../call-frame.ts";
import type { InvocationRequest } from "../invocation.ts";
import { asCallerSees } from "../outcome-errors.ts";
import { ACTIONS, type HostCall } from "./host-call.ts";
import { argsOf, parseCall, pathOf } from "./parse-call.ts";

export const callQuery: HostCall = childCall("query");
export const callMutation: HostCall = childCall("mutation");
export const callAction: HostCall = childCall("action");

function childCall(kind: FunctionKind): HostCall {
  return {
    kinds: ACTIONS,
    perform: async (frame, argText) => {
      const fields = parseCall(`1.0/actions/${kind}`, argText);
      const outcome = await frame.options.core.callChild(
        frame,
        childRequest(frame, kind, { path: pathOf(fields), argsText: argsOf(fields) }),
      );
      if (outcome.status === "failed") throw asCallerSees(outcome);
      return outcome.valueText;
    },
  };
}

/** Who called the action is who calls its children: identity and priority go on. */
function childRequest(frame: CallFrame, kind: FunctionKind, call: { readonly path: string; readonly argsText: string }): InvocationRequest {
  const { accepted } = frame.options.run;
  const { identity, causeDepth } = accepted.request.actor;
  return {
    tenant: accepted.request.tenant,
    branch: accepted.request.branch,
    actor: atDepth({ kind: "function", scopes: [], ...(identity === undefined ? {} : { identity }) }, causeDepth),
    source: "function",
    path: call.path,
    version: frame.options.version.digest,
    kind,
    internalAllowed: true,
    argsText: call.argsText,
    priority: accepted.request.priority,
    trace: frame.options.run.trace,
    parent: { id: accepted.id, depth: (accepted.request.parent?.depth ?? 0) + 1 },
  };
}
