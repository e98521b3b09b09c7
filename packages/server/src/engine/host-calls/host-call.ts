/** What a host call is, besides those of the database, which a transaction performs itself. */
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallFrame } from "../call-frame.ts";

export interface HostCall {
  /** Functions that may make it; others get EffectDenied. */
  readonly kinds: readonly FunctionKind[];
  /** JSON text in, JSON text out. The argument is hostile. Throws PlinthError, which user code sees. */
  readonly perform: (frame: CallFrame, argText: string) => Promise<string>;
}

export const TRANSACTIONS: readonly FunctionKind[] = ["query", "mutation"];
export const ACTIONS: readonly FunctionKind[] = ["action", "httpAction"];
/** What may reach other systems; inline code has no host calls. */
export const OUTGOING: readonly FunctionKind[] = [...ACTIONS, "handler"];
export const EVERYWHERE: readonly FunctionKind[] = [...TRANSACTIONS, ...ACTIONS];
