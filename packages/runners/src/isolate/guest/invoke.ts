/** Runs the function of the call and reports its one outcome. */
import type { InvokeSettings } from "../wire.ts";
import { POST } from "../wire.ts";
import { analyze } from "./analyze.ts";
import { closeLog } from "./console.ts";
import { runHttpAction } from "./http-action.ts";
import { canRenewGlobal } from "./lazy-globals.ts";
import { moduleOf } from "./modules.ts";
import { observedBits, session, unshare } from "./session.ts";
import { describeThrown } from "./thrown.ts";

type Invocable = Readonly<Record<string, unknown>>;

const START: Readonly<Record<InvokeSettings["kind"] | "__proto__", (settings: InvokeSettings, argsText: string) => unknown>> = {
  __proto__: null as never,
  query: (settings, argsText) => method(settings, "invokeQuery")(argsText),
  mutation: (settings, argsText) => method(settings, "invokeMutation")(argsText),
  action: (settings, argsText) => method(settings, "invokeAction")(settings.requestId, argsText),
  httpAction: (_, argsText) => runHttpAction(argsText),
  analyze,
};

export async function runInvocation(settings: InvokeSettings, argsText: string): Promise<void> {
  try {
    finish(await START[settings.kind](settings, argsText));
  } catch (thrown) {
    fail(thrown);
  }
}

function method(settings: InvokeSettings, name: string): (...args: string[]) => unknown {
  const colon = settings.path.lastIndexOf(":");
  const modulePath = colon < 0 ? settings.path : settings.path.slice(0, colon);
  const exportName = colon < 0 ? "default" : settings.path.slice(colon + 1);
  const namespace = moduleOf(modulePath);
  const exported = Object.hasOwn(namespace, exportName) ? namespace[exportName] : undefined;
  const invoke = typeof exported === "function" ? (exported as unknown as Invocable)[name] : undefined;
  if (typeof invoke !== "function") throw new Error(`There is no ${settings.kind} "${settings.path}" in this version.`);
  return invoke as (...args: string[]) => unknown;
}

function finish(result: unknown): void {
  if (session.phase === "done") return;
  if (typeof result !== "string") throw new TypeError("The function did not return a text.");
  const max = session.settings.resultBytes;
  if (result.length > max) throw new RangeError(`Function return value is too large (${result.length} bytes, maximum ${max}).`);
  closeLog();
  session.phase = "done";
  // Its variables are those of one call.
  if (!canRenewGlobal("process")) unshare();
  session.post(POST.result, observedBits(), result, "", "");
}

/** Ends the call with what was thrown. */
export function fail(thrown: unknown): void {
  if (session.phase === "done") return;
  const { message, stack, dataText } = describeThrown(thrown);
  closeLog();
  session.phase = "done";
  session.post(POST.failure, observedBits(), message, stack, dataText);
}
