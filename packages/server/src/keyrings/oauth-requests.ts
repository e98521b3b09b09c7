/**
 * The addresses and requests of the authorization code grant (RFC 6749, with PKCE of RFC 7636 where a type asks for it). They are
 * filled from the type's templates, which a general OAuth client has no place for.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import { fillRequest } from "./outside-calls.ts";
import { fillText, fillUrl, type PlaceholderValues } from "./placeholders.ts";

type Authorize = NonNullable<KeyringTypeSpec["authorize"]>;

/** Client id and secret of a developer keyring. */
export interface OauthClient {
  readonly id: string;
  readonly secret: string;
}

export function authorizeOf(type: KeyringTypeSpec): Authorize {
  if (type.authorize === null) throw plinthError("KeyringTypeWrong", { detail: "it does not say where to sign in (`authorize`)" });
  return type.authorize;
}

/** Whether the type asks for PKCE: its parameters name the method. */
export function usesPkce(type: KeyringTypeSpec): boolean {
  return type.authorize !== null && Object.hasOwn(type.authorize.authQueryParameters, "code_challenge_method");
}

export function authorizeUrl(
  type: KeyringTypeSpec,
  request: {
    readonly values: PlaceholderValues;
    readonly redirectUri: string;
    readonly state: string;
    readonly scope: string;
    readonly verifier: string | null;
  },
): string {
  const authorize = authorizeOf(type);
  const url = fillUrl(authorize.authUrl, request.values);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  set("response_type", "code");
  set("client_id", request.values.get("CLIENT_ID") ?? "");
  if (request.scope !== "") set("scope", request.scope);
  for (const [name, value] of Object.entries(authorize.authQueryParameters)) set(name, fillText(value, request.values));
  // These are the ones that bind the answer to the request; a type does not change them.
  set("redirect_uri", request.redirectUri);
  set("state", request.state);
  if (request.verifier !== null) {
    set("code_challenge_method", "S256");
    set("code_challenge", createHash("sha256").update(request.verifier).digest("base64url"));
  }
  return url.href;
}

/** Trades the code for tokens. */
export function exchangeRequest(
  type: KeyringTypeSpec,
  request: { readonly values: PlaceholderValues; readonly code: string; readonly redirectUri: string; readonly verifier: string | null },
): FetchRequest {
  const { tokenUrl, tokenQueryParameters } = authorizeOf(type);
  const values = new Map([
    ...request.values,
    ["CODE", request.code],
    ["REDIRECT_URI", request.redirectUri],
    ["CODE_VERIFIER", request.verifier ?? ""],
  ]);
  const queryParameters = {
    grant_type: "authorization_code",
    client_id: "[CLIENT_ID]",
    client_secret: "[CLIENT_SECRET]",
    ...tokenQueryParameters,
    code: "[CODE]",
    redirect_uri: "[REDIRECT_URI]",
    ...(request.verifier === null ? {} : { code_verifier: "[CODE_VERIFIER]" }),
  };
  return fillRequest({ url: tokenUrl, method: "POST", headers: {}, queryParameters }, values, { parametersIn: "body" });
}

/** Asks for a new access token: as the type says, or as the standard does where it says nothing. */
export function refreshRequest(type: KeyringTypeSpec, values: PlaceholderValues): FetchRequest {
  const standard = {
    url: authorizeOf(type).tokenUrl,
    method: "POST",
    headers: {},
    queryParameters: {
      grant_type: "refresh_token",
      refresh_token: "[REFRESH_TOKEN]",
      client_id: "[CLIENT_ID]",
      client_secret: "[CLIENT_SECRET]",
    },
  };
  return fillRequest(type.refresh ?? standard, values, { parametersIn: "body" });
}
