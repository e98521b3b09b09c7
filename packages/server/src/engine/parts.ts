/** The collaborators of the engine, as its stages share them. */
import type { Commit } from "../store/store.ts";
import type { Database, Scope } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Egress } from "../sandbox/egress.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { InvocationOutcome } from "./invocation.ts";

export interface EngineParts {
  readonly database: Database;
  /** The store under the database: its commits end cached results. */
  readonly commits: { onCommit(listener: (commit: Commit) => void): () => void };
  readonly sandbox: Sandbox;
  readonly deploys: Deploys;
  readonly egress: Egress;
  readonly runtime: Runtime;
  readonly telemetry: Telemetry;
  readonly config: EngineConfig;
  /** Whether a tenant is served still; all are when absent. What was queued or scheduled before its end asks here. */
  readonly isServed?: (tenant: string) => Promise<boolean>;
  /** Hears of every invocation that ended, cached results included: for those who follow a branch's logs. */
  readonly onFinished?: (finished: { readonly scope: Scope; readonly atMs: number; readonly outcome: InvocationOutcome }) => void;
}
