/**
 * The state of the call that this context serves. Everything else in the guest reads it; only `main.ts`
 * changes its phase. A context that calls share serves one after the other, each with a session of its own.
 *
 * import: modules are evaluated with a constant seed and time, so that the outcome does not depend on
 *   when the context was made. execute: the function runs with the call's own seed and time.
 */
import type { InvokeSettings, Post } from "../wire.ts";
import { OBSERVED_RANDOM, OBSERVED_TIME, OBSERVED_UNSHARED, POST } from "../wire.ts";
import { nativeNow } from "./realm.ts";

const IMPORT_NOW_MS = Date.UTC(2024, 0, 1);
export const IMPORT_SEED = "9e3779b97f4a7c15f39cc0605cedc834";

/** Before the call: the clock and the seed of the import phase. Without a prototype it is made faster, like the tables of `wire.ts`. */
const IMPORT_SETTINGS: InvokeSettings & { readonly __proto__?: null } = {
  __proto__: null as never,
  kind: "analyze",
  path: "",
  requestId: "",
  seed: IMPORT_SEED,
  nowMs: IMPORT_NOW_MS,
  snapshotNs: null,
  resultBytes: 0,
  logLines: 0,
  logLineBytes: 0,
  pendingHostCalls: 0,
  timers: 0,
};

export const session = {
  __proto__: null as never,
  phase: "import" as "import" | "execute" | "done",
  settings: IMPORT_SETTINGS as InvokeSettings,
  post: (() => undefined) as Post,
  observed: 0,
  startedMs: 0,
};

/** Begins the session of another call as that of a fresh context begins. */
export function renewSession(): void {
  session.phase = "import";
  session.settings = IMPORT_SETTINGS;
  session.observed = 0;
  session.startedMs = 0;
}

/** Whether the call may use clocks, randomness and the network. */
export function isAction(): boolean {
  return session.phase === "execute" && (session.settings.kind === "action" || session.settings.kind === "httpAction");
}

/** The clock as the call sees it. */
export function nowMs(): number {
  if (session.phase === "import") return IMPORT_NOW_MS;
  if (isAction()) return nativeNow();
  session.observed |= OBSERVED_TIME;
  return session.settings.nowMs;
}

export function elapsedMs(): number {
  return isAction() ? nativeNow() - session.startedMs : 0;
}

export function observeRandom(): void {
  if (session.phase !== "import") session.observed |= OBSERVED_RANDOM;
}

/** From here on the context serves no other call. */
export function unshare(): void {
  unshared = OBSERVED_UNSHARED;
}

/** What the runner is told with the outcome. */
export function observedBits(): number {
  return session.observed | unshared;
}

let unshared = 0;

export function requireAction(what: string): void {
  if (isAction()) return;
  throw new Error(
    session.phase === "import"
      ? `Can't use ${what} while modules are imported. Please move it into a function.`
      : `Can't use ${what} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
  );
}

/** An operation of the runner itself, while the guest waits. */
export function localSync(op: string, argText: string): string {
  const answer = session.post(POST.localSync, 0, op, argText, "");
  if (answer === undefined) throw new Error("the call has ended");
  if (answer[0] === "-") throw new Error(answer.slice(1));
  return answer.slice(1);
}
