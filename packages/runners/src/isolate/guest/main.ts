/**
 * The guest's script. It runs once in every fresh context before user code and leaves nothing behind but
 * the globals: its value is the function `enter`, which the runner keeps. Work at this level is paid by
 * every context, so all that can be lazy is lazy.
 */
import type { GuestBridge } from "./bridge.ts";
import { moduleOfCall } from "../module-of-call.ts";
import type { InvokeSettings, Post } from "../wire.ts";
import { ENTER, RUNNER_OPS } from "../wire.ts";
import { addClockGlobals } from "./clock.ts";
import { makeConsole, renewConsole } from "./console.ts";
import { convex, forgetTables } from "./convex.ts";
import {
  clearTimer,
  failHostCall,
  failLocalCall,
  fireTimer,
  hostCall,
  localCall,
  renewHostCalls,
  setTimer,
  settleHostCall,
  settleLocalCall,
} from "./host-calls.ts";
import { fail, runInvocation } from "./invoke.ts";
import { importAhead } from "./modules.ts";
import { forgetStreams } from "./query-streams.ts";
import { installRandom, seedRandom } from "./random.ts";
import { renewGlobal, serveLazily } from "./lazy-globals.ts";
import { emptyTable, jsonParse, jsonStringify, nativeNow } from "./realm.ts";
import { elapsedMs, IMPORT_SEED, localSync, nowMs, observeRandom, renewSession, requireAction, session, unshare } from "./session.ts";
import { makeFinalizationRegistry, makeWeakRef } from "./weak.ts";
import { makeWebGlobal, WEB_GLOBALS } from "./web/index.ts";

/** Names that this engine brings and user code may not have; the runner writes them here. */
declare const PLINTH_REMOVED_GLOBALS: readonly string[];

let bridge: GuestBridge | undefined;

/** Made at the first touch of a web global, like the globals themselves. */
function makeBridge(): GuestBridge {
  return {
    get kind() {
      return session.settings.kind;
    },
    requireAction,
    hostCall,
    local: localCall,
    localSync,
    nowMs,
    elapsedMs,
    setTimer,
    clearTimer,
    reportUncaught: fail,
    observeRandom,
    intrinsics: { JSONparse: jsonParse, JSONstringify: jsonStringify },
  };
}

function installGlobals(): void {
  for (const name of PLINTH_REMOVED_GLOBALS) Reflect.deleteProperty(globalThis, name);
  installRandom();
  const makers = emptyTable<() => unknown>();
  addClockGlobals(makers);
  makers["WeakRef"] = makeWeakRef;
  makers["FinalizationRegistry"] = makeFinalizationRegistry;
  makers["console"] = makeConsole;
  makers["process"] = makeProcess;
  makers["self"] = () => globalThis;
  makers["Convex"] = () => convex;
  const webAssembly: unknown = Reflect.get(globalThis, "WebAssembly");
  makers["WebAssembly"] = () => {
    // The engine compiles on, and calls back, when the call has ended.
    unshare();
    return webAssembly;
  };
  serveLazily(makers, WEB_GLOBALS, (name) => {
    // Its runs hang on promises, which may pend for ever.
    if (name === "AsyncLocalStorage" || name === "AsyncResource") unshare();
    return makeWebGlobal(name, (bridge ??= makeBridge()));
  });
}

/** `process` is here only for its variables. */
function makeProcess(): object {
  const env = emptyTable<string>();
  const variables = jsonParse(localSync(RUNNER_OPS.environment, session.phase)) as Readonly<Record<string, string>>;
  for (const name of Object.keys(variables)) env[name] = variables[name] ?? "";
  return { env };
}

/** After another call, begins as a fresh context does, but for what user code has left in modules and globals. */
function renew(): void {
  renewSession();
  renewHostCalls();
  renewConsole();
  forgetTables();
  forgetStreams();
  seedRandom(IMPORT_SEED);
  renewGlobal("process");
}

function invoke(settingsText: string, argsText: string): void {
  if (session.phase === "done") renew();
  const settings = jsonParse(settingsText) as InvokeSettings;
  const module = moduleOfCall(settings);
  if (module !== "") importAhead(module);
  session.settings = settings;
  // All that an analysis does belongs to the import phase.
  if (settings.kind !== "analyze") session.phase = "execute";
  session.startedMs = nativeNow();
  seedRandom(settings.seed);
  void runInvocation(settings, argsText);
}

function enter(op: number, number: number, a: string | Post, b: string): void {
  try {
    dispatch(op, number, a, b);
  } catch (thrown) {
    // Nothing that user code threw leaves the guest as a value: reading it outside could run user code.
    fail(thrown);
  }
}

function dispatch(op: number, number: number, a: string | Post, b: string): void {
  if (typeof a === "function") {
    session.post = a;
    return;
  }
  switch (op) {
    case ENTER.importModule:
      return importAhead(a);
    case ENTER.invoke:
      return invoke(a, b);
    case ENTER.reply:
      return settleHostCall(number, a);
    case ENTER.replyFailed:
      return failHostCall(number, a);
    case ENTER.timer:
      return fireTimer(number);
    case ENTER.localReply:
      return settleLocalCall(number, a);
    case ENTER.localFailed:
      return failLocalCall(number, a);
    default:
  }
}

installGlobals();

export { enter };
