/**
 * Code of a node. It sees `inputs`: what the node was given, and `workflow` with what core/flow/script-context.ts says. Scripts see
 * `workflow` by its own name too. What it prints goes into the log of its run.
 */
import { scriptContext } from "@plinth/core/flow/script-context.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import { inlinePath } from "../../engine/inline-code.ts";
import { bundleOfCall } from "../bundles/bundle-of-call.ts";
import type { CallKind } from "./call.ts";
import { requestOf } from "./call-request.ts";
import { codeOf, inlineResult } from "./inline-code.ts";

export const inlineCall: CallKind<"inline"> = {
  // Scripts have no way out of their isolate; Python may have one.
  classOf: (_parts, { language, mode }) => (language === "javascript" && mode === "sync" ? "compute" : "outside"),
  perform: async ({ engine, scripts, stepLogs, values, asyncScripts }, call, of) => {
    const { program, command, state, scope } = of;
    const code = codeOf(call, of);
    if (call.language === "javascript") await scripts.check(scope.tenant, code);
    if (call.mode === "async") return await asyncScripts.begin(call, of);
    const context = scriptContext(program, state, command.key);
    const workflow = context === null ? null : await values.described(of.scope, context);
    const timeoutMs = Math.min(command.timeoutMs, limit("inlineWallMsMax"));
    const inputs = { ...(isRecord(call.input.json) ? call.input.json : {}), workflow };
    const log = stepLogs.begin(of);
    const outcome = await engine()
      .invoke(
        {
          ...requestOf(of),
          path: inlinePath(call.language),
          ...bundleOfCall(call, of),
          argsText: JSON.stringify({ code, inputs, names: ["workflow"], timeoutMs, streams: true }),
        },
        { signal: of.signal, patient: true, onEvent: log.onEvent },
      )
      .finally(() => log.end());
    return inlineResult(outcome, code);
  },
};
