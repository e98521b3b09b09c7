/**
 * Snap-ins: packages that are installed on a branch, with their inputs, keyrings, event sources, service account and queues. This
 * file is the contract; `open-snap-ins.ts` makes one.
 *
 * A1 Activation, deactivation and upgrade are durable sagas: each step commits its effect and its progress together, so that a
 *    failure at any point, or a crash of the host, ends in fully done or fully undone.
 * A2 A snap-in has at most one saga at a time.
 * A3 The service account has exactly the scopes of the manifest.
 * A4 Hooks are stored calls with an idempotency key of the saga: a crash does not run one twice once it was acknowledged.
 */
import type { Scope, Transaction } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import type { HandlerEvents } from "../engine/handler-event.ts";

export type SnapInState = "draft" | "activating" | "active" | "error" | "deactivating" | "inactive";

export interface SnapIn {
  readonly id: string;
  readonly package: string;
  readonly version: string;
  readonly state: SnapInState;
  /** What went wrong last, for people; null when nothing did. */
  readonly stateReason: string | null;
  /** Values of inputs by name, defaults included. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Name in the manifest → name of a keyring of the branch. */
  readonly keyrings: Readonly<Record<string, string>>;
  readonly eventSources: readonly EventSource[];
  readonly serviceAccountId: string | null;
  readonly tags: Readonly<Record<string, { readonly id: string }>>;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface EventSource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly owner: { readonly user?: string };
  /** Where others send events to, for sources that take some. */
  readonly triggerUrl: string | null;
  /** Where others send emails to, for sources that take some where the host takes them over SMTP. */
  readonly emailAddress: string | null;
  /** Setup instructions with their placeholders filled in; markdown, or null. */
  readonly setupInstructions: string | null;
}

export interface ServiceAccount {
  readonly id: string;
  readonly displayName: string;
  readonly scopes: readonly string[];
  readonly impersonate: readonly { readonly actAs: string; readonly scopes: readonly string[] }[];
}

export interface SnapIns {
  /** A draft of a package's head (or a given version) on the branch. One per package and branch. */
  install(scope: Scope, request: { readonly package: string; readonly version?: string }): Promise<SnapIn>;
  get(scope: Scope, id: string): Promise<SnapIn | undefined>;
  list(scope: Scope): Promise<readonly SnapIn[]>;
  /** Changes inputs and keyring bindings after the validate hook agreed. Rejects with HookRefused, which has the hook's text. */
  configure(
    scope: Scope,
    id: string,
    changes: { readonly inputs?: Readonly<Record<string, unknown>>; readonly keyrings?: Readonly<Record<string, string>> },
  ): Promise<SnapIn>;
  /** Opens the event sources that the manifest has for users, for one of them, and takes what they fill in. */
  openUser(scope: Scope, id: string, user: string, inputs?: Readonly<Record<string, unknown>>): Promise<SnapIn>;
  /** What a user filled in, with the defaults of the rest; undefined for those who have set nothing up. */
  userInputs(scope: Scope, id: string, user: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Ends what a user has of the snap-in; false when there is nothing. */
  closeUser(scope: Scope, id: string, user: string): Promise<boolean>;
  /** Resolves when the saga has ended: active, or undone with the reason. */
  activate(scope: Scope, id: string, options?: SagaOptions): Promise<SnapIn>;
  deactivate(scope: Scope, id: string, options?: SagaOptions & { readonly force?: boolean }): Promise<SnapIn>;
  /** Moves to another version of the package; what may not change is refused before anything happens. */
  upgrade(scope: Scope, id: string, request: { readonly version: string } & SagaOptions): Promise<SnapIn>;
  /** Deactivates and deletes. */
  remove(scope: Scope, id: string, options?: { readonly force?: boolean }): Promise<void>;
  /**
   * The function `@<package>/<function>`: of the version that runs where the package is active, of the branch's head where it is not.
   * So code gets the snap-in's credentials only after its version was activated or upgraded to.
   */
  resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined>;
  serviceAccount(scope: Scope, id: string): Promise<ServiceAccount | undefined>;
  /** Makes what handlers get: events with fresh tokens and keyrings. Part of the engine. */
  readonly events: HandlerEvents;
  /** Versions that the package's snap-in stands at or moves to, read within the transaction that deletes others. */
  versionsInUse(transaction: Pick<Transaction, "records" | "scope">, packageName: string): Promise<ReadonlySet<string>>;
  /** Ends what the snap-ins of a branch have outside of it; the branch is being erased. */
  endBranch(scope: Scope): Promise<void>;
  /** Goes on with sagas that a crash interrupted. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface SagaOptions {
  readonly progress?: (text: string) => void;
}
