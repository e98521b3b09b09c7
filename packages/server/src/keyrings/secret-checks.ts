/** What is done with a secret before it is stored: transformed, verified at the other system, its organisations found. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { HttpCallSpec, KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { functionOfType, type CheckRunner } from "./check-runner.ts";
import { fieldsOf, SUBDOMAIN } from "./keyring-types.ts";
import { fillRequest, jsonOf, type Answer, type CallSubject, type OutsideCalls } from "./outside-calls.ts";
import { own, parseOrganizations, type Organization } from "./parse-answers.ts";
import type { PlaceholderValues } from "./placeholders.ts";
import type { Scope } from "../database/database.ts";

/** A keyring that is about to be stored. */
export interface CheckSubject extends CallSubject {
  readonly name: string;
}

/** A secret that is about to be stored, or the tokens of a sign-in. */
export interface Credential {
  readonly secret: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly values: PlaceholderValues;
}

/** A keyring that is checked, and its type as it names it. */
export interface Checked {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export class SecretChecks {
  readonly #calls: OutsideCalls;
  readonly #tools: JailTools;
  readonly #checks: CheckRunner;

  constructor(options: { readonly calls: OutsideCalls; readonly tools: JailTools; readonly checks: CheckRunner }) {
    this.#calls = options.calls;
    this.#tools = options.tools;
    this.#checks = options.checks;
  }

  /**
   * All that the type says about checking, as calls of the engine: its request for verification, its function, its request for
   * organisations. Rejects with KeyringRefused or KeyringUnavailable.
   */
  async check(scope: Scope, keyring: Checked, type: KeyringTypeSpec, credential: Credential): Promise<readonly Organization[]> {
    const about = { check: "verify", keyring: keyring.id, name: keyring.name, type: keyring.type } as const;
    const subject = { tenant: scope.tenant, keyring: keyring.id, name: keyring.name };
    const asksOutside = (type.secretConfig?.tokenVerification ?? type.organizationData) !== null;
    const ask = async (outside: CheckSubject): Promise<readonly Organization[]> => {
      await this.verify(outside, type, credential.values);
      return await this.organizations(outside, type, credential.values);
    };
    const found = asksOutside
      ? await this.#checks.run(scope, about, (fetch) => ask({ ...subject, ...(fetch === undefined ? {} : { fetch }) }))
      : await ask(subject);
    if (type.verifyFunction === undefined) return found;
    const answer = await this.#checks.call(scope, about, {
      function: functionOfType(keyring.type, type.verifyFunction),
      credential: { secret: credential.secret, fields: credential.fields },
      secrets: [credential.secret, ...Object.values(credential.fields)],
    });
    // What the function says in words may hold what it was given, so only its verdict is told.
    if (own(answer, "valid") !== true)
      throw plinthError("KeyringRefused", {
        name: keyring.name,
        detail: `the function '${type.verifyFunction}' does not say that it is valid`,
      });
    const named = own(answer, "organizations");
    const organizations = Array.isArray(named) ? parseOrganizations(named) : undefined;
    return organizations ?? found;
  }

  /** What functions get: the transform's text, the one field, or JSON of the fields. */
  async secretOf(tenant: string, type: KeyringTypeSpec, fields: Readonly<Record<string, string>>): Promise<string> {
    const declared = fieldsOf(type);
    const transform = type.secretConfig?.secretTransform ?? null;
    if (transform !== null) {
      // An optional field that is not given is an empty text, so that texts can be joined.
      const input = Object.fromEntries([...declared.map(({ id }) => [id, ""]), ...Object.entries(fields)]);
      const [value, ...others] = await this.#jq(tenant, { program: transform, input, what: "`secret_transform`" });
      if (typeof value !== "string" || value === "" || others.length > 0 || Buffer.byteLength(value) > limit("keyringFieldBytesMax"))
        throw plinthError("KeyringTypeWrong", { detail: "its `secret_transform` does not yield one text" });
      return value;
    }
    const [only, ...more] = declared;
    if (only !== undefined && more.length === 0) return Object.hasOwn(fields, only.id) ? (fields[only.id] ?? "") : "";
    return JSON.stringify(Object.fromEntries(declared.filter(({ id }) => Object.hasOwn(fields, id)).map(({ id }) => [id, fields[id]])));
  }

  /** Asks the other system whether it takes the secret; rejects with KeyringRefused or KeyringUnavailable. */
  async verify(subject: CheckSubject, type: KeyringTypeSpec, values: PlaceholderValues): Promise<void> {
    const call = type.secretConfig?.tokenVerification ?? null;
    if (call !== null) await this.#ask(subject, call, values);
  }

  /** Organisations that the secret gives access to; the subdomain where the type has no other way to tell. */
  async organizations(subject: CheckSubject, type: KeyringTypeSpec, values: PlaceholderValues): Promise<readonly Organization[]> {
    const subdomain = values.get(SUBDOMAIN);
    const call = type.organizationData;
    if (call === null) return type.isSubdomain && subdomain !== undefined ? [{ id: subdomain, name: subdomain }] : [];
    const answer = await this.#ask(subject, call, values);
    const input = jsonOf(answer);
    if (input === undefined)
      throw plinthError("KeyringRefused", { name: subject.name, detail: "its answer about organisations is not JSON within the limits" });
    const found = await this.#jq(subject.tenant, { program: call.responseJq, input, what: "`response_jq` of `organization_data`" });
    const organizations = parseOrganizations(found);
    if (organizations === undefined || organizations.length === 0)
      throw plinthError("KeyringTypeWrong", { detail: "its `response_jq` does not yield `{id, name}`, one or several" });
    return organizations;
  }

  async #ask(subject: CheckSubject, call: HttpCallSpec, values: PlaceholderValues): Promise<Answer> {
    const answer = await this.#calls.send(subject, fillRequest(call, values));
    if (answer.status >= 200 && answer.status < 300) return answer;
    if (answer.status === 429 || answer.status >= 500)
      throw plinthError("KeyringUnavailable", { detail: `it answers with status ${answer.status}` });
    throw plinthError("KeyringRefused", { name: subject.name, detail: `it answers with status ${answer.status}` });
  }

  /** Y4. The tool's own message may quote what it worked on, so nothing of it is passed on. */
  async #jq(
    tenant: string,
    request: { readonly program: string; readonly input: unknown; readonly what: string },
  ): Promise<readonly unknown[]> {
    const { program, input, what } = request;
    let output: unknown;
    try {
      output = await this.#tools.run(tenant, "jq", { program, input, valuesMax: limit("keyringOrganizationsMax") });
    } catch (error) {
      if (error instanceof PlinthError && error.spec.fault === "platform") throw error;
      throw plinthError("KeyringTypeWrong", { detail: `its ${what} fails` });
    }
    const values = own(output, "values");
    if (!Array.isArray(values)) throw plinthError("KeyringTypeWrong", { detail: `its ${what} yields nothing that can be read` });
    return values;
  }
}
