/** Makes the keyrings of a host; `keyrings.ts` is the contract. */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Database, Scope } from "../database/database.ts";
import { KEYRINGS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Egress } from "../sandbox/egress.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { DIRECT_CHECKS, type CheckRunner } from "./check-runner.ts";
import { defineKeyringTypes } from "./define-types.ts";
import type { KeyRing } from "./encryption.ts";
import type { KeyringRow, StoredSecret } from "./keyring-records.ts";
import { newRow, organizationsOf, shown } from "./keyring-rows.ts";
import { KeyringStore } from "./keyring-store.ts";
import { checkFields } from "./keyring-types.ts";
import type { CreateKeyring, DeliveredKeyring, Keyring, KeyringOwner, Keyrings } from "./keyrings.ts";
import { OauthGrants } from "./oauth-grants.ts";
import { fillRequest, OutsideCalls } from "./outside-calls.ts";
import type { PlaceholderValues } from "./placeholders.ts";
import { redactSecrets } from "./redact.ts";
import { Refresher } from "./refresher.ts";
import { missingKeys, rotateKeyrings } from "./rotation.ts";
import { SecretChecks } from "./secret-checks.ts";
import { SignIns } from "./sign-ins.ts";

export interface KeyringsOptions {
  readonly database: Database;
  readonly commits: Pick<Store, "onCommit">;
  readonly ring: KeyRing;
  readonly egress: Egress;
  readonly tools: JailTools;
  readonly runtime: Runtime;
  readonly log: Log;
  /** How checks run; directly where there is no engine. */
  readonly checks?: CheckRunner;
}

/** Says in the log which master keys are missing, if any: what they encrypt cannot be delivered. */
export async function openKeyrings(options: KeyringsOptions): Promise<Keyrings> {
  const keyrings = new StoredKeyrings(options);
  await keyrings.start();
  return keyrings;
}

type StartOauth = Parameters<Keyrings["startOauth"]>[1];

class StoredKeyrings implements Keyrings {
  readonly #options: KeyringsOptions;
  readonly #store: KeyringStore;
  readonly #calls: OutsideCalls;
  readonly #checks: SecretChecks;
  readonly #grants: OauthGrants;
  readonly #refresher: Refresher;
  readonly #signIns: SignIns;
  #rotating: Promise<{ readonly keyrings: number }> | undefined;

  constructor(options: KeyringsOptions) {
    const { runtime, log, checks = DIRECT_CHECKS } = options;
    this.#options = options;
    this.#store = new KeyringStore(options);
    this.#calls = new OutsideCalls(options);
    this.#checks = new SecretChecks({ calls: this.#calls, tools: options.tools, checks });
    this.#grants = new OauthGrants({ store: this.#store, calls: this.#calls });
    this.#refresher = new Refresher({ store: this.#store, grants: this.#grants, checks, runtime, log });
    this.#signIns = new SignIns({ store: this.#store, grants: this.#grants, checks: this.#checks, runtime });
  }

  async start(): Promise<void> {
    for (const keyId of await missingKeys(this.#store))
      this.#options.log.error({ keyId }, "keyrings are encrypted under a key that is not configured; they cannot be delivered");
  }

  async defineTypes(scope: Scope, packageName: string, types: readonly KeyringTypeSpec[]): Promise<void> {
    await this.#store.database.update(scope, ({ records }) => defineKeyringTypes(records, packageName, types));
  }

  async create(scope: Scope, request: CreateKeyring): Promise<Keyring> {
    const type = await this.#store.type(scope, request.type);
    if (type.kind !== "secret")
      throw plinthError("BadRequest", {
        detail: `The keyring type '${request.type}' is connected by signing in (OAuth 2), not by a secret.`,
      });
    const row = newRow(request, "secret", this.#options.runtime);
    await this.#refuseTaken(scope, row);
    const fields = checkFields(type, request.fields);
    const secret = await this.#checks.secretOf(scope.tenant, type, fields);
    const credential = { secret, fields, values: secretValues({ secret, fields }) };
    const organizations = await this.#checks.check(scope, row, type, credential);
    const sealed = this.#store.sealSecret(scope, row.id, { secret, refreshToken: null, fields, scope: "" });
    const stored: KeyringRow = { ...row, ...organizationsOf(organizations), state: "active", secret: sealed };
    await this.#store.database.update(scope, (transaction) => this.#store.add(transaction, stored));
    this.#audit("a keyring was created", scope, stored);
    return shown(stored);
  }

  async startOauth(scope: Scope, request: StartOauth) {
    return await this.#signIns.start(scope, request);
  }

  async finishOauth(request: { readonly state: string; readonly code: string }): Promise<Keyring> {
    const { scope, row } = await this.#signIns.finish(request);
    this.#audit("a keyring was connected", scope, row);
    return shown(row);
  }

  async list(scope: Scope, owner?: KeyringOwner): Promise<readonly Keyring[]> {
    const rows = await this.#store.database.read(scope, ({ records }) =>
      records.range(KEYRINGS, { prefix: [], limit: limit("keyringsPerBranchMax") }),
    );
    return rows.filter(({ value }) => owner === undefined || value.owner.user === owner.user).map(({ value }) => shown(value));
  }

  async get(scope: Scope, id: string): Promise<Keyring | undefined> {
    const row = await this.#store.get(scope, id);
    return row === undefined ? undefined : shown(row);
  }

  async chooseOrganization(scope: Scope, id: string, organizationId: string): Promise<Keyring> {
    const updatedMs = this.#nowMs();
    const row = await this.#store.change(scope, id, (current) => {
      const organization = current.organizations.find((candidate) => candidate.id === organizationId);
      if (organization === undefined)
        throw plinthError("NotFound", { what: `organisation '${organizationId.slice(0, 100)}' of this keyring` });
      return { ...current, organization, updatedMs };
    });
    if (row === undefined) throw plinthError("NotFound", { what: `keyring '${id.slice(0, 64)}'` });
    return shown(row);
  }

  /** Y2 */
  async deliver(scope: Scope, names: readonly string[], owner: KeyringOwner = {}): Promise<Readonly<Record<string, DeliveredKeyring>>> {
    const wanted = [...new Set(names)];
    const rows = await this.#store.database.read(scope, (transaction) =>
      Promise.all(wanted.map(async (name) => [name, await this.#store.named(transaction, owner, name)] as const)),
    );
    const delivered = await Promise.all(
      rows.map(async ([name, row]) => {
        const keyring = row === undefined ? undefined : await this.#deliverOne(scope, row);
        if (keyring === undefined)
          this.#options.log.info(
            { tenant: scope.tenant, branch: scope.branch, name, state: row?.state ?? "absent" },
            "a keyring was asked for and not delivered",
          );
        return [name, keyring] as const;
      }),
    );
    return Object.fromEntries(delivered.filter((entry): entry is [string, DeliveredKeyring] => entry[1] !== undefined));
  }

  async #deliverOne(scope: Scope, row: KeyringRow): Promise<DeliveredKeyring | undefined> {
    if (row.state === "expired") throw plinthError("KeyringExpired", { name: row.name });
    if (row.state !== "active") return undefined;
    const fresh = this.#refresher.needsRefresh(row) ? await this.#refresher.refresh(scope, row) : row;
    if (fresh === undefined || fresh.state !== "active") return undefined;
    const { secret } = this.#store.openSecret(scope, fresh.id, must(fresh.secret, "an active keyring has a secret"));
    return { id: fresh.id, secret, typeId: fresh.type, organization: fresh.organization };
  }

  async revoke(scope: Scope, id: string): Promise<void> {
    let again = false;
    const updatedMs = this.#nowMs();
    const row = await this.#store.change(scope, id, (current) => {
      again = current.state === "revoked";
      return { ...current, state: "revoked", updatedMs };
    });
    if (row === undefined) throw plinthError("NotFound", { what: `keyring '${id.slice(0, 64)}'` });
    try {
      await this.#revokeOutside(scope, row);
    } catch (error) {
      if (!again) throw error;
      this.#options.log.warn(
        { tenant: scope.tenant, branch: scope.branch, keyring: id },
        "a keyring is deleted without being revoked elsewhere",
      );
    }
    await this.#store.delete(scope, id);
    this.#audit("a keyring was revoked", scope, row);
  }

  async #revokeOutside(scope: Scope, row: KeyringRow): Promise<void> {
    if (row.secret === null) return;
    const type = await this.#store.knownType(scope, row.type);
    // A type that is not declared any more says nothing either.
    if (type === undefined || type.revoke === null) return;
    const secret = this.#store.openSecret(scope, row.id, row.secret);
    const values = row.kind === "oauth2" ? await this.#grants.values(scope, row, { type, secret }) : secretValues(secret);
    const request = fillRequest(type.revoke, values, { parametersIn: "body" });
    const { status } = await this.#calls.send({ tenant: scope.tenant, keyring: row.id }, request);
    if (status === 429 || status >= 500) throw plinthError("KeyringUnavailable", { detail: `it answers with status ${status}` });
    // Any other refusal means that the token is of no use there any more.
    if (status >= 300)
      this.#options.log.warn({ tenant: scope.tenant, keyring: row.id, status }, "the other system refused to revoke a keyring");
  }

  redact(text: string, delivered: Readonly<Record<string, DeliveredKeyring>>): string {
    return redactSecrets(text, delivered);
  }

  async rotate(): Promise<{ readonly keyrings: number }> {
    this.#rotating ??= rotateKeyrings(this.#store).finally(() => (this.#rotating = undefined));
    const done = await this.#rotating;
    this.#options.log.info({ keyrings: done.keyrings, keyId: this.#store.ring.newest }, "keyrings were encrypted under the newest key");
    return done;
  }

  async close(): Promise<void> {
    this.#calls.close();
    await this.#refresher.close();
    await Promise.allSettled([this.#rotating]);
  }

  /** Before other systems are asked for nothing; `add` decides. */
  async #refuseTaken(scope: Scope, row: KeyringRow): Promise<void> {
    const existing = await this.#store.database.read(scope, (transaction) => this.#store.named(transaction, row.owner, row.name));
    if (existing !== undefined) throw plinthError("AlreadyExists", { what: `A keyring '${row.name}' of this owner` });
  }

  #audit(message: string, scope: Scope, { id, name, type }: KeyringRow): void {
    this.#options.log.info({ tenant: scope.tenant, branch: scope.branch, keyring: id, name, type }, message);
  }

  #nowMs(): number {
    return this.#options.runtime.nowMs();
  }
}

function secretValues({ secret, fields }: Pick<StoredSecret, "secret" | "fields">): PlaceholderValues {
  return new Map([...Object.entries(fields), ["API_KEY", secret], ["ACCESS_TOKEN", secret]]);
}
