/** `keyring_types`: kinds of connections that a package brings. */
import type { HttpCallSpec, KeyringTypeSpec } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";
import { limit } from "../../limits.ts";
import { identifier, reference } from "./names.ts";

const JQ = { charsMax: limit("manifestJqCharsMax") };
const URL_CHARS_MAX = limit("manifestUrlCharsMax");
/** A placeholder may stand for the beginning or the host. */
const HTTPS_URL = /^(?:https:\/\/|\[)[^\s]+$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const METHODS = ["get", "post", "put", "patch", "delete", "head"] as const;

export function readKeyringType(reader: ObjectReader): KeyringTypeSpec {
  const id = identifier(reader, "id", "each keyring type");
  const kind = reader.choice("kind", ["secret", "oauth2"], null);
  const secret = reader.object("secret_config", readSecretConfig);
  const spec: KeyringTypeSpec = {
    id,
    name: reader.label("name", { fallback: id }),
    description: reader.text("description"),
    kind,
    isSubdomain: reader.boolean("is_subdomain", false),
    externalSystemName: reader.optionalText("external_system_name"),
    referenceKeyring: reference(reader, "reference_keyring", "a built-in type or one", false),
    scopes: reader.objects("scopes", "manifestScopesMax", (scope) => ({
      name: scope.label("name", { required: true, instead: "give each scope a name" }),
      description: scope.text("description"),
      value: scope.text("value", { required: true, instead: "write the scope as the external system calls it" }),
    })),
    scopeDelimiter: reader.text("scope_delimiter", { fallback: " ", charsMax: limit("manifestNearMissCharsMax") }),
    oauthSecret: reference(reader, "oauth_secret", "a developer keyring", false),
    secretConfig: secret === null ? null : secret.spec,
    authorize: reader.object("authorize", readAuthorize),
    organizationData: reader.object("organization_data", readOrganizationData) ?? secret?.organizationData ?? null,
    refresh: reader.object("refresh", readHttpCall),
    revoke: reader.object("revoke", readHttpCall),
    ...functionNamed("verifyFunction", reference(reader, "verify_function", "a function", false)),
    ...functionNamed("refreshFunction", reference(reader, "refresh_function", "a function", false)),
  };
  if (secret?.organizationData && reader.has("organization_data")) {
    const path = `${reader.at("secret_config")}.organization_data`;
    reader.report.warning(path, `${path} stands in two places; the one of the keyring type itself counts.`);
  }
  checkKind(reader, spec);
  return spec;
}

function functionNamed(field: "verifyFunction" | "refreshFunction", name: string | null): Partial<Pick<KeyringTypeSpec, typeof field>> {
  return name === null ? {} : { [field]: name };
}

function checkKind(reader: ObjectReader, spec: KeyringTypeSpec): void {
  if (spec.kind === "secret") {
    if (reader.has("authorize"))
      reader.warning("authorize", "means nothing for the kind secret and is not used; write `kind: oauth2` for OAuth.");
    return;
  }
  if (!reader.has("oauth_secret")) {
    reader.error("oauth_secret", "is missing; name the developer keyring that holds the client id and secret.");
  }
  if (!reader.has("authorize") && !reader.has("reference_keyring")) {
    reader.error("authorize", "is missing; describe the authorization with auth_url and token_url, or name a `reference_keyring`.");
  }
}

function readSecretConfig(reader: ObjectReader) {
  const spec: KeyringTypeSpec["secretConfig"] = {
    secretTransform: reader.optionalText("secret_transform", JQ),
    fields: reader.objects("fields", "manifestFieldsMax", (field) => {
      const id = identifier(field, "id", "each field");
      return {
        id,
        name: field.label("name", { fallback: id }),
        description: field.text("description"),
        isOptional: field.boolean("is_optional", false),
      };
    }),
    tokenVerification: reader.object("token_verification", readHttpCall),
  };
  const seen = new Set<string>();
  for (const { id } of spec.fields) {
    if (id !== "" && seen.has(id)) reader.error("fields", `has the id \`${id}\` twice; give each field its own.`);
    seen.add(id);
  }
  return { spec, organizationData: reader.object("organization_data", readOrganizationData) };
}

function readAuthorize(reader: ObjectReader): NonNullable<KeyringTypeSpec["authorize"]> {
  reader.raw("type");
  return {
    authUrl: readUrl(reader, "auth_url"),
    tokenUrl: readUrl(reader, "token_url"),
    grantType: reader.choice("grant_type", ["authorization_code"], "authorization_code"),
    authQueryParameters: readQuery(reader, "auth_query_parameters", "auth_query_params"),
    tokenQueryParameters: readQuery(reader, "token_query_parameters", "token_query_params"),
  };
}

function readOrganizationData(reader: ObjectReader): NonNullable<KeyringTypeSpec["organizationData"]> {
  return {
    ...readHttpCall(reader),
    responseJq: reader.text("response_jq", {
      ...JQ,
      required: true,
      instead: "write the jq program that makes `{id, name}` of the answer",
    }),
  };
}

function readHttpCall(reader: ObjectReader): HttpCallSpec {
  reader.raw("type");
  return {
    url: readUrl(reader, "url"),
    method: reader.choice("method", METHODS, "get").toUpperCase(),
    headers: reader.textMap("headers", HEADER_NAME),
    queryParameters: readQuery(reader, "query_parameters", "query_params"),
  };
}

/** Both spellings are in use; the long one counts when both are there. */
function readQuery(reader: ObjectReader, key: string, otherKey: string): Readonly<Record<string, string>> {
  const other = reader.textMap(otherKey);
  return reader.has(key) ? reader.textMap(key) : other;
}

function readUrl(reader: ObjectReader, key: string): string {
  const instead = "write a URL that begins with https://; placeholders such as [SUBDOMAIN] are allowed";
  return reader.text(key, { required: true, charsMax: URL_CHARS_MAX, pattern: HTTPS_URL, instead });
}
