/**
 * Keyrings: credentials of other systems, kept for packages. This file is the contract; `open-keyrings.ts` makes one.
 *
 * Y1 Secrets are stored encrypted (AES-256-GCM, bound to tenant, branch and id); the key comes from a file or the environment.
 * Y2 Secrets leave only through `deliver`, and only for names that the function declares. They are in no log, error or listing.
 * Y3 At most one refresh of a keyring runs at a time, on this host and over restarts; everybody who waits gets its result.
 * Y4 Every request to another system goes through the egress guard; every jq and template is evaluated in a jail.
 */
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";

/** Who owns a keyring: the organisation, or one user. */
export interface KeyringOwner {
  readonly user?: string;
}

/** A keyring as others may see it: without its secret. */
export interface Keyring {
  readonly id: string;
  readonly name: string;
  /** Name of a built-in type, or `<package>/<type id>`. */
  readonly type: string;
  readonly kind: "secret" | "oauth2";
  readonly owner: KeyringOwner;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly state: "active" | "expired" | "revoked" | "pending";
  /** Of the organisation in the other system, when the type says how to find it. */
  readonly organization: { readonly id: string; readonly name: string } | null;
  /** What to choose from with `chooseOrganization`, when the other system named several. */
  readonly organizations: readonly { readonly id: string; readonly name: string }[];
  /** When the access token ends; null when it does not, or is no OAuth token. */
  readonly expiresMs: number | null;
}

export interface CreateKeyring {
  readonly name: string;
  readonly type: string;
  readonly owner?: KeyringOwner;
  /** The secret itself, or the values of the type's fields by id; also `SUBDOMAIN` where the type asks for one. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What a function gets of a keyring (`resources.keyrings.<name>`). */
export interface DeliveredKeyring {
  readonly id: string;
  readonly secret: string;
  readonly typeId: string;
  readonly organization: { readonly id: string; readonly name: string } | null;
}

export interface Keyrings {
  /** Makes the types that a package declares known (replacing those of its earlier version). */
  defineTypes(scope: Scope, packageName: string, types: readonly KeyringTypeSpec[]): Promise<void>;
  /** Stores a secret keyring after its verification, or client id and secret of a developer keyring. Rejects with KeyringRefused. */
  create(scope: Scope, request: CreateKeyring): Promise<Keyring>;
  /** Where to send the user's browser, for OAuth types; the keyring is `pending` until `finishOauth`. */
  startOauth(
    scope: Scope,
    request: Omit<CreateKeyring, "fields"> & {
      readonly redirectUri: string;
      readonly scopes?: readonly string[];
      readonly fields?: Readonly<Record<string, string>>;
    },
  ): Promise<{ readonly id: string; readonly authorizeUrl: string; readonly state: string }>;
  /** Takes what the authorisation server sent back. `state` finds the keyring, whatever its tenant; it works once. */
  finishOauth(request: { readonly state: string; readonly code: string }): Promise<Keyring>;
  list(scope: Scope, owner?: KeyringOwner): Promise<readonly Keyring[]>;
  get(scope: Scope, id: string): Promise<Keyring | undefined>;
  /** Says which of several organisations of the other system the keyring is for. */
  chooseOrganization(scope: Scope, id: string, organizationId: string): Promise<Keyring>;
  /**
   * The secrets of keyrings, refreshed when they are about to end. Names without a keyring are left out. Without an
   * owner these are keyrings of the organisation, with one that user's; neither stands in for the other. Rejects with KeyringExpired.
   */
  deliver(scope: Scope, names: readonly string[], owner?: KeyringOwner): Promise<Readonly<Record<string, DeliveredKeyring>>>;
  /**
   * Delivers it no more from now on, revokes it at the other system where the type says how, then deletes it. When the other system
   * cannot be asked it stays, as `revoked`, and this rejects; the next call deletes it whatever the other system says.
   */
  revoke(scope: Scope, id: string): Promise<void>;
  /** Replaces every occurrence of a delivered secret in a text that leaves towards logs and errors. */
  redact(text: string, delivered: Readonly<Record<string, DeliveredKeyring>>): string;
  /** Encrypts everything under the newest key; older keys can be removed afterwards. Goes on after a restart. */
  rotate(): Promise<{ readonly keyrings: number }>;
  /** Nothing of it runs any more when it resolves. */
  close(): Promise<void>;
}
