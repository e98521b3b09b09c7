/** The collaborators of the engine, as its stages share them. */
import type { Commit } from "../store/store.ts";
import type { Database, Scope } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Egress } from "../sandbox/egress.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Packages } from "../packages/packages.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { HandlerEvents } from "./handler-event.ts";
import type { InlineBundles } from "./inline-code.ts";
import type { NativeCodes } from "./native-code.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { ResultSink } from "./result-sink.ts";

export interface EngineParts {
  readonly database: Database;
  /** The store under the database: its commits end cached results. */
  readonly commits: { onCommit(listener: (commit: Commit) => void): () => void };
  readonly sandbox: Sandbox;
  readonly deploys: Deploys;
  /** Finds handlers (`@<package>/<function>`); there are none when absent. */
  readonly packages?: Pick<Packages, "resolve">;
  /** Finds packages for inline code; there are none when absent. */
  readonly bundles?: InlineBundles;
  /** Finds native operations; there are none when absent. */
  readonly natives?: NativeCodes;
  /** Makes the events of handlers. */
  readonly handlerEvents?: HandlerEvents;
  /** Where large results and artefacts lie; results stay in their records when absent. */
  readonly blobs?: Pick<Blobs, "put" | "read" | "tenants" | "list" | "delete">;
  /** Result sinks besides the engine's own. */
  readonly sinks?: readonly ResultSink[];
  /** Rates, limits of single functions and budgets; there are none when absent. */
  readonly budgets?: Pick<Budgets, "admit" | "admitKept" | "checkStored" | "limits">;
  readonly egress: Egress;
  /** URL of the host's own API, which functions of packages may reach; none may when absent. */
  readonly apiUrl?: Promise<string>;
  readonly runtime: Runtime;
  readonly telemetry: Telemetry;
  readonly config: EngineConfig;
  /** Whether a tenant's branch is served still; all are when absent. What was queued or scheduled before its end asks here. */
  readonly isServed?: (scope: Scope) => Promise<boolean>;
  /** Hears of every invocation that ended, cached results included: for those who follow a branch's logs. */
  readonly onFinished?: (finished: { readonly scope: Scope; readonly atMs: number; readonly outcome: InvocationOutcome }) => void;
}
