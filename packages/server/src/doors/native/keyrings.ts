/** `/v1/keyrings`: credentials of other systems. Secrets are taken and never shown. */
import { createHash } from "node:crypto";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { KeyringOwner } from "../../keyrings/keyrings.ts";
import { jsonReply, type DoorContext, type Reply } from "../door.ts";
import { arrayField, optionalTextField, textField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { KEYRING_DOCS } from "./keyrings-doc.ts";

const CALLBACK_PATH = "/v1/keyrings/oauth/callback";

const PAGE_STYLE =
  ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}";
const PAGE_STYLE_DIGEST = createHash("sha256").update(PAGE_STYLE).digest("base64");

/** `?user=` lists those of one user. */
export const listKeyrings: DocumentedRoute = {
  method: "GET",
  path: "/v1/keyrings",
  access: ["admin"],
  doc: KEYRING_DOCS.listKeyrings,
  handle: async (context, { caller, query }): Promise<Reply> => {
    const user = query.get("user");
    return jsonReply({ keyrings: await context.keyrings.list(caller.scope, user === null ? undefined : { user }) });
  },
};

/** `{name, type, fields, user?}` */
export const createKeyring: DocumentedRoute = {
  method: "POST",
  path: "/v1/keyrings",
  access: ["admin"],
  doc: KEYRING_DOCS.createKeyring,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const keyring = await context.keyrings.create(request.caller.scope, {
      name: textField(body, "name"),
      type: textField(body, "type"),
      fields: secretFields(body["fields"]),
      ...ownerOf(body),
    });
    return jsonReply(keyring, 201);
  },
};

export const getKeyring: DocumentedRoute = {
  method: "GET",
  path: "/v1/keyrings/:id",
  access: ["admin"],
  doc: KEYRING_DOCS.getKeyring,
  handle: async (context, { caller, params }): Promise<Reply> => {
    const id = params["id"] ?? "";
    const keyring = await context.keyrings.get(caller.scope, id);
    if (keyring === undefined) throw plinthError("NotFound", { what: `keyring '${id.slice(0, 64)}'` });
    return jsonReply(keyring);
  },
};

/** `{organization}`: the id of the one that the keyring is for. */
export const changeKeyring: DocumentedRoute = {
  method: "PUT",
  path: "/v1/keyrings/:id",
  access: ["admin"],
  doc: KEYRING_DOCS.changeKeyring,
  handle: async (context, request): Promise<Reply> => {
    const organization = textField(readJsonObject(request), "organization");
    return jsonReply(await context.keyrings.chooseOrganization(request.caller.scope, request.params["id"] ?? "", organization));
  },
};

export const revokeKeyring: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/keyrings/:id",
  access: ["admin"],
  doc: KEYRING_DOCS.revokeKeyring,
  handle: async (context, { caller, params }): Promise<Reply> => {
    const id = params["id"] ?? "";
    await context.keyrings.revoke(caller.scope, id);
    return jsonReply({ id, revoked: true });
  },
};

/** `{name, type, user?, scopes?, fields?}` → `{id, authorizeUrl}`: where to send the user's browser. */
export const startOauth: DocumentedRoute = {
  method: "POST",
  path: "/v1/keyrings/oauth/start",
  access: ["admin"],
  doc: KEYRING_DOCS.startOauth,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const { id, authorizeUrl } = await context.keyrings.startOauth(request.caller.scope, {
      name: textField(body, "name"),
      type: textField(body, "type"),
      redirectUri: `${(await context.urls).api}${CALLBACK_PATH}`,
      ...(body["fields"] === undefined ? {} : { fields: secretFields(body["fields"]) }),
      ...(body["scopes"] === undefined ? {} : { scopes: arrayField(body, "scopes").map(scopeText) }),
      ...ownerOf(body),
    });
    return jsonReply({ id, authorizeUrl, redirectUri: `${(await context.urls).api}${CALLBACK_PATH}` }, 201);
  },
};

/** The user's browser arrives here from the other system. The state, which works once, is all that counts. */
export const finishOauth: DocumentedRoute = {
  method: "GET",
  path: CALLBACK_PATH,
  access: "open",
  branchless: true,
  doc: KEYRING_DOCS.finishOauth,
  handle: async (context, { query }): Promise<Reply> => {
    const [state, code] = [query.get("state"), query.get("code")];
    if (state === null || code === null) return page(400, "Not connected", refusalText(query.get("error")));
    return await finish(context, { state, code });
  },
};

/** Encrypts all keyrings of the host under the newest master key. */
export const rotateKeyrings: DocumentedRoute = {
  method: "POST",
  path: "/v1/keyrings/rotate",
  access: "operator",
  branchless: true,
  doc: KEYRING_DOCS.rotateKeyrings,
  handle: async (context): Promise<Reply> => jsonReply(await context.keyrings.rotate()),
};

async function finish(context: DoorContext, request: { readonly state: string; readonly code: string }): Promise<Reply> {
  try {
    const { name } = await context.keyrings.finishOauth(request);
    return page(200, "Connected", `The keyring ${name} is connected. You can close this page.`);
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    return page(error.spec.status, "Not connected", `${error.message} ${nextForPeople(error)}`.trim());
  }
}

/** Advice about requests is for programs; whoever reads this page has none to correct. */
function nextForPeople(error: PlinthError): string {
  return error.code === "BadRequest" ? "" : error.next;
}

/** What another system says of itself is shown only where it has the form of the standard's codes. */
function refusalText(error: string | null): string {
  if (error !== null && /^[a-z_]{1,64}$/.test(error))
    return `The other system refused the sign-in (${error}). Start it again, or close this page.`;
  return "The other system sent no code. Start the sign-in again.";
}

function page(status: number, title: string, text: string): Reply {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${PAGE_STYLE}</style><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></html>\n`;
  return {
    kind: "text",
    status,
    contentType: "text/html; charset=utf-8",
    body,
    headers: {
      "cache-control": "no-store",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${PAGE_STYLE_DIGEST}'; frame-ancestors 'none'`,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  };
}

function ownerOf(body: JsonObject): { readonly owner?: KeyringOwner } {
  const user = optionalTextField(body, "user");
  return user === undefined ? {} : { owner: { user } };
}

function scopeText(scope: unknown): string {
  if (typeof scope !== "string") throw wrongField("scopes", "a list of texts", undefined);
  return scope;
}

/** No value is repeated in an error: it may be the secret. */
function secretFields(fields: unknown): Readonly<Record<string, string>> {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw plinthError("BadRequest", { detail: "`fields` must be an object of texts." });
  for (const [name, value] of Object.entries(fields))
    if (typeof value !== "string")
      throw plinthError("BadRequest", { detail: `The field '${name.slice(0, 40)}' of \`fields\` must be a text.` });
  return fields as Readonly<Record<string, string>>;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
