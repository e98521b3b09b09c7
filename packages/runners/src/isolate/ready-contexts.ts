/**
 * Contexts for calls. While the runner is idle it makes the next one ahead: guest, script and the module
 * that was called last, all in the import phase, whose seed and clock are constant. So a call finds the
 * same state as in a context made for it.
 */
import type { InvokeEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { Script } from "isolated-vm";
import type { CallContext } from "./call-context.ts";
import type { Call } from "./call.ts";
import { CompiledCode } from "./compiled-code.ts";
import type { IsolateSlot } from "./isolate-slot.ts";
import type { LoadedVersion } from "./version-store.ts";
import { moduleOfCall } from "./module-of-call.ts";
import { ENTER, POST, RUNNER_OPS, VERSION_FILE } from "./wire.ts";

const AHEAD_MS_MAX = 100;

export class ReadyContexts {
  readonly #codes = new Map<string, CompiledCode>();

  forget(digest: string): void {
    this.#codes.get(digest)?.release();
    this.#codes.delete(digest);
  }

  take(call: Call): CallContext {
    const kept = call.slot.kept.take(call.envelope);
    if (kept !== undefined) return kept;
    const key = contextKey(call.envelope);
    const ready = call.slot.takeReady(
      key,
      (context) => context.environmentRead === undefined || context.environmentRead === JSON.stringify(call.envelope.env),
    );
    return ready ?? call.slot.createContext(call.version, key);
  }

  scriptFor(slot: IsolateSlot, version: LoadedVersion): Script {
    let code = this.#codes.get(version.digest);
    if (code === undefined) {
      code = new CompiledCode(version.script, VERSION_FILE);
      this.#codes.set(version.digest, code);
    }
    return slot.scriptOf(version, code);
  }

  readEnvironment(context: CallContext | undefined, envelope: InvokeEnvelope, phase: string): string {
    const text = JSON.stringify(envelope.env);
    if (context !== undefined && phase === "import") context.environmentRead = text;
    return text;
  }

  /** Makes a context like the one that `call` used. Only for functions that are known to be quick. */
  makeAhead(call: Call): void {
    const { slot, version, envelope, module } = call;
    const key = contextKey(call.envelope);
    if (module === "" || slot.condemned || slot.hasReady(key)) return;
    slot.submit(() => {
      if (slot.condemned) return undefined;
      const context = slot.createContext(version, key);
      context.post = (code, _number, op, phase) => {
        if (code !== POST.localSync) return undefined;
        return op === RUNNER_OPS.environment
          ? `+${this.readEnvironment(context, envelope, phase)}`
          : "-This is not available while modules are imported.";
      };
      try {
        context.load(this.scriptFor(slot, version)).now(AHEAD_MS_MAX);
        context.isLoaded = true;
        context.enter(ENTER.importModule, 0, module, "").now(AHEAD_MS_MAX);
        slot.keepReady(context);
      } catch {
        // Whatever it is, the next call meets it itself and reports it.
        context.release();
      }
      return undefined;
    });
  }
}

/** Calls with the same key can use the same ready context. */
export function contextKey(envelope: InvokeEnvelope): string {
  return `${envelope.version} ${moduleOfCall(envelope)}`;
}
