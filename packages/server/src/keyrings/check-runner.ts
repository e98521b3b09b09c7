/** Port: how checks of credentials are run. The engine's way is `modalities/keyring-checks.ts`. */
import { plinthError } from "@plinth/core/errors.ts";
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";

export type KeyringCheck = "verify" | "refresh";

/** What a check is about; nothing of it is secret. */
export interface CheckAbout {
  readonly check: KeyringCheck;
  /** Id of the keyring. */
  readonly keyring: string;
  readonly name: string;
  readonly type: string;
}

/** How requests of a check leave; the keyrings' own way when undefined. */
export type CheckFetch = ((request: FetchRequest) => Promise<FetchResponse>) | undefined;

export interface CheckRunner {
  /** Runs the host's own requests of a check, once. */
  run<T>(scope: Scope, about: CheckAbout, work: (fetch: CheckFetch) => Promise<T>): Promise<T>;
  /** JSON that the function of a keyring type answered. Rejects with KeyringUnavailable when it failed. */
  call(
    scope: Scope,
    about: CheckAbout,
    request: { readonly function: string; readonly credential: Readonly<Record<string, unknown>>; readonly secrets: readonly string[] },
  ): Promise<unknown>;
}

/** Runs checks where there is no engine: the host's own requests only. */
export const DIRECT_CHECKS: CheckRunner = {
  run: async (_scope, _about, work) => await work(undefined),
  call: () => Promise.reject(plinthError("KeyringUnavailable", { detail: "no engine runs its function" })),
};

/** The function of a package's type, as the engine knows it: types of packages are named `<package>/<type id>`. */
export function functionOfType(type: string, name: string): string {
  return `@${type.split("/")[0] ?? ""}/${name}`;
}
