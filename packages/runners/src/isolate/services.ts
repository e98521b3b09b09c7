/** What calls share in a runner. */
import type { InvokeEnvelope, RunnerEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { Script } from "isolated-vm";
import type { CallContext } from "./call-context.ts";
import type { Call } from "./call.ts";
import type { IsolateSlot } from "./isolate-slot.ts";
import type { Pace } from "./pace.ts";
import type { LoadedVersion, VersionStore } from "./version-store.ts";

export interface RunnerServices {
  readonly connection: { send(envelope: RunnerEnvelope, body?: Uint8Array): void };
  readonly versions: VersionStore;
  readonly pace: Pace;
  readonly contexts: {
    /** A context for the call: one that it may share, one that is ready, or a new one. Only within a job of the slot. */
    take(call: Call): CallContext;
    scriptFor(slot: IsolateSlot, version: LoadedVersion): Script;
    /** JSON of the call's variables; `phase` is "import" while modules are imported. */
    readEnvironment(context: CallContext | undefined, envelope: InvokeEnvelope, phase: string): string;
  };
  /** Whether the isolate has room for a context that waits for another call. */
  hasRoomToKeep(slot: IsolateSlot): boolean;
  /** The call has sent its outcome. */
  ended(call: Call): void;
  /** Ends every call whose context lay in an isolate that is gone. */
  loseAll(slot: IsolateSlot): void;
}
