/** The types that need no package, and the checks of what is given for a type's fields. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";

const single = [field("secret", "Secret")] as const;

/** Field by field what each built-in type asks for. */
const BUILT_IN: Readonly<Record<string, readonly ReturnType<typeof field>[]>> = {
  snap_in_secret: single,
  "devrev-pat": single,
  "devrev-github-pat": single,
  "devrev-github-oauth": single,
  "devrev-slack-oauth": single,
  "oauth-secret": [field("client_id", "Client id"), field("client_secret", "Client secret")],
};

const SPELLINGS: Readonly<Record<string, string>> = {
  "snap-in-secret": "snap_in_secret",
  "devrev-snap-in-secret": "snap_in_secret",
  oauth_secret: "oauth-secret",
};

/** A built-in type by any of its spellings. */
export function builtInType(name: string): KeyringTypeSpec | undefined {
  const id = Object.hasOwn(SPELLINGS, name) ? (SPELLINGS[name] ?? name) : name;
  const fields = Object.hasOwn(BUILT_IN, id) ? BUILT_IN[id] : undefined;
  return fields === undefined
    ? undefined
    : { ...EMPTY_TYPE, id, name: id, secretConfig: { secretTransform: null, fields, tokenVerification: null } };
}

const EMPTY_TYPE: Omit<KeyringTypeSpec, "id" | "name" | "secretConfig"> = {
  description: "",
  kind: "secret",
  isSubdomain: false,
  externalSystemName: null,
  referenceKeyring: null,
  scopes: [],
  scopeDelimiter: " ",
  oauthSecret: null,
  authorize: null,
  organizationData: null,
  refresh: null,
  revoke: null,
};

export const SUBDOMAIN = "SUBDOMAIN";

/** The field of a secret type that declares none. */
const FALLBACK_FIELDS = single;

export function fieldsOf(type: KeyringTypeSpec): readonly ReturnType<typeof field>[] {
  const declared = type.secretConfig?.fields ?? [];
  return declared.length > 0 || type.kind === "oauth2" ? declared : FALLBACK_FIELDS;
}

/** Checks given values against the type: nothing is missing, nothing unknown, nothing too large. Absent optional fields are left out. */
export function checkFields(type: KeyringTypeSpec, values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const fields = fieldsOf(type);
  const given = withSecretNamed(fields, values);
  const known = new Set([...fields.map(({ id }) => id), ...(type.isSubdomain ? [SUBDOMAIN] : [])]);
  const bad = (detail: string) => plinthError("BadRequest", { detail });
  const names = Object.keys(given);
  const valueOf = (name: string) => (Object.hasOwn(given, name) ? (given[name] ?? "") : "");
  const unknown = names.find((name) => !known.has(name));
  // Values of fields are secret and are not shown; a name is shown cut, in case somebody swapped the two.
  if (unknown !== undefined) throw bad(`The keyring type has no field '${unknown.slice(0, 40)}'; it has ${listed([...known])}.`);
  for (const { id, isOptional } of fields) if (!isOptional && valueOf(id) === "") throw bad(`The keyring type needs the field '${id}'.`);
  if (type.isSubdomain && !SUBDOMAIN_FORM.test(valueOf(SUBDOMAIN)))
    throw bad(`The keyring type needs the field '${SUBDOMAIN}': letters, digits, hyphens and dots.`);
  const max = limit("keyringFieldBytesMax");
  for (const name of names) {
    const bytes = Buffer.byteLength(valueOf(name));
    if (bytes > max)
      throw plinthError("RequestTooLarge", { what: `field '${name}' of a keyring`, actual: `${bytes} bytes`, max: `${max} bytes` });
  }
  return Object.fromEntries(names.filter((name) => valueOf(name) !== "").map((name) => [name, valueOf(name)]));
}

const SUBDOMAIN_FORM = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** The secret itself may be given as `secret`, whatever the type's only field is called. */
function withSecretNamed(fields: readonly { readonly id: string }[], values: Readonly<Record<string, string>>) {
  const [only, ...others] = fields;
  const secret = Object.hasOwn(values, "secret") ? values["secret"] : undefined;
  if (only === undefined || others.length > 0 || only.id === "secret" || secret === undefined) return values;
  const { secret: _, ...rest } = values;
  return { [only.id]: secret, ...rest };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `'${name}'`).join(", ");
}

function field(id: string, name: string) {
  return { id, name, description: "", isOptional: false };
}
