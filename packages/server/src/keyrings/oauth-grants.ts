/** The requests of OAuth keyrings, with the client of the type's developer keyring. */
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import type { KeyringRow, PendingOauth, StoredSecret } from "./keyring-records.ts";
import type { KeyringStore } from "./keyring-store.ts";
import type { CheckFetch } from "./check-runner.ts";
import { authorizeUrl, exchangeRequest, refreshRequest, type OauthClient } from "./oauth-requests.ts";
import { jsonOf, type Answer, type OutsideCalls } from "./outside-calls.ts";
import { parseTokens, type Tokens } from "./parse-answers.ts";
import type { PlaceholderValues } from "./placeholders.ts";

export class OauthGrants {
  readonly #store: KeyringStore;
  readonly #calls: OutsideCalls;

  constructor(options: { readonly store: KeyringStore; readonly calls: OutsideCalls }) {
    this.#store = options.store;
    this.#calls = options.calls;
  }

  async authorizeUrl(
    scope: Scope,
    request: { readonly row: KeyringRow; readonly type: KeyringTypeSpec; readonly pending: PendingOauth; readonly state: string },
  ): Promise<string> {
    const { row, type, pending, state } = request;
    const client = await this.#client(scope, type, row.type);
    // The address goes to a browser, so the client's secret is not among its values.
    const values = oauthValues({ client: { id: client.id, secret: null }, fields: pending.fields, scope: pending.scope });
    return authorizeUrl(type, { values, state, redirectUri: pending.redirectUri, scope: pending.scope, verifier: pending.verifier });
  }

  /** Trades a code for tokens; rejects with KeyringRefused when the other system gives none. */
  async exchange(scope: Scope, row: KeyringRow, request: { readonly pending: PendingOauth; readonly code: string }): Promise<Tokens> {
    const type = await this.#store.type(scope, row.type);
    const { pending, code } = request;
    const values = oauthValues({ client: await this.#client(scope, type, row.type), fields: pending.fields, scope: pending.scope });
    const answer = await this.#calls.send(
      { tenant: scope.tenant, keyring: row.id },
      exchangeRequest(type, { values, code, redirectUri: pending.redirectUri, verifier: pending.verifier }),
    );
    const tokens = answer.status >= 200 && answer.status < 300 ? parseTokens(jsonOf(answer)) : undefined;
    if (tokens === undefined)
      throw plinthError("KeyringRefused", { name: row.name, detail: `its token endpoint answers ${answer.status} without a token` });
    return tokens;
  }

  async refresh(
    scope: Scope,
    row: KeyringRow,
    { type, secret, fetch }: { readonly type: KeyringTypeSpec; readonly secret: StoredSecret; readonly fetch: CheckFetch },
  ): Promise<Answer> {
    const request = refreshRequest(type, await this.values(scope, row, { type, secret }));
    return await this.#calls.send({ tenant: scope.tenant, keyring: row.id, ...(fetch === undefined ? {} : { fetch }) }, request);
  }

  /** All placeholders of a keyring that is signed in. */
  async values(
    scope: Scope,
    row: Pick<KeyringRow, "type">,
    { type, secret }: { readonly type: KeyringTypeSpec; readonly secret: StoredSecret },
  ): Promise<PlaceholderValues> {
    const client = await this.#client(scope, type, row.type);
    return oauthValues({ client, fields: secret.fields, scope: secret.scope, tokens: secret });
  }

  async #client(scope: Scope, type: KeyringTypeSpec, typeName: string): Promise<OauthClient> {
    const name = type.oauthSecret;
    if (name === null) throw plinthError("KeyringTypeWrong", { detail: `'${typeName}' names no developer keyring (\`oauth_secret\`)` });
    const row = await this.#store.database.read(scope, (transaction) => this.#store.named(transaction, {}, name));
    const usable = row !== undefined && row.secret !== null && row.state === "active";
    const fields = usable ? this.#store.openSecret(scope, row.id, row.secret).fields : undefined;
    const [id, secret] = [fields?.["client_id"], fields?.["client_secret"]];
    if (id === undefined || secret === undefined)
      throw plinthError("KeyringTypeWrong", { detail: `its developer keyring '${name}' (type oauth-secret) is not there` });
    return { id, secret };
  }
}

function oauthValues(given: {
  readonly client: { readonly id: string; readonly secret: string | null };
  readonly fields: Readonly<Record<string, string>>;
  readonly scope: string;
  readonly tokens?: StoredSecret;
}): PlaceholderValues {
  const { client, fields, scope, tokens } = given;
  const values = new Map(Object.entries(fields));
  values.set("CLIENT_ID", client.id).set("SCOPE", scope).set("SCOPES", scope);
  if (client.secret !== null) values.set("CLIENT_SECRET", client.secret);
  if (tokens !== undefined) values.set("ACCESS_TOKEN", tokens.secret).set("API_KEY", tokens.secret);
  if (tokens !== undefined && tokens.refreshToken !== null) values.set("REFRESH_TOKEN", tokens.refreshToken);
  return values;
}
