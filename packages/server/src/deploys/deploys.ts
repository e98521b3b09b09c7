/**
 * Versions and branch heads. A version is immutable and named by the digest of its script; a branch head
 * says which version serves. This file is the contract; `open-deploys.ts` makes one.
 */
import type { FunctionOperation } from "@plinth/core/operations/function-operation.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";

/** Body of `POST /v1/deploy`. Hostile. */
export interface DeployRequest {
  /** The script of the version; see MODULES_GLOBAL in the runner protocol. */
  readonly script: string;
  /** Source map v3 of the script, or null. */
  readonly sourceMap: string | null;
  readonly note?: string;
  /** Check everything and change nothing. */
  readonly dryRun?: boolean;
}

export interface DeployResult {
  readonly version: string;
  readonly changed: boolean;
  readonly functions: readonly { readonly path: string; readonly kind: FunctionKind; readonly visibility: "public" | "internal" }[];
  readonly indexesAdded: readonly string[];
  readonly indexesRemoved: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
}

export interface ResolvedFunction {
  /** Of handlers: `@<package>/<function>`. */
  readonly path: string;
  readonly kind: FunctionKind;
  readonly visibility: "public" | "internal";
  /** Validator JSON. */
  readonly args: unknown;
  readonly returns: unknown;
  readonly version: VersionCode;
  /** Handlers only. */
  readonly handler?: HandlerSettings;
}

/** What the manifest says of a handler's calls. */
export interface HandlerSettings {
  readonly name: string;
  readonly package: string;
  readonly timeoutMs: number | null;
  readonly maxRetries: number;
  readonly minIntervalMs: number;
  /** Names of the keyrings that it may have. */
  readonly keyrings: readonly string[];
  /** Those that it may have besides while it runs an operation, by the operation's slug. */
  readonly operationKeyrings?: ReadonlyMap<string, readonly string[]>;
}

export interface DeployOptions {
  /** Who deploys, for the ledger: the id of a key, or `admin`. */
  readonly by?: string;
  readonly progress?: (text: string) => void;
}

export interface Deploys {
  /** Deploys of one branch happen one after the other. Rejects with InvalidPackage or SchemaMismatch and then changes nothing. */
  deploy(scope: Scope, request: DeployRequest, options?: DeployOptions): Promise<DeployResult>;
  /**
   * The function at the branch head, from memory after the first time; undefined when there is none. With the digest of a
   * version: the function of that version, for calls that began with it (of the head's when it is no longer stored).
   */
  resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined>;
  /** The version at the branch head, or a given one; undefined when there is none. */
  version(scope: Scope, digest?: string): Promise<VersionCode | undefined>;
  /** process.env of functions of the branch, `CONVEX_CLOUD_URL` and `CONVEX_SITE_URL` included. */
  environment(scope: Scope): Promise<Readonly<Record<string, string>>>;
  setEnvironment(scope: Scope, changes: Readonly<Record<string, string | null>>): Promise<void>;
  /** Drops what is remembered of a branch, after its deploys that are under way: its rows were changed by others (erased). */
  forget(scope: Scope): Promise<void>;
  /** Functions of the branch head that are operations. */
  operations(scope: Scope): Promise<readonly FunctionOperation[]>;
  list(
    scope: Scope,
  ): Promise<readonly { readonly path: string; readonly kind: FunctionKind; readonly visibility: "public" | "internal" }[]>;
}
