/** `webhooks.*`: addresses outside that get events of the branch. Tokens see and change those that their snap-in made. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isChangeType } from "../../events/object-events.ts";
import { noSuchWebhook, SIGNATURE_HEADER } from "../../outgoing/outgoing-webhooks.ts";
import type { WebhookHeader, WebhookRow } from "../../outgoing/webhook-records.ts";
import type { Caller } from "../door.ts";
import { choiceField, optionalTextField, textField } from "../fields.ts";
import type { JsonObject } from "../request-body.ts";
import { grantsOf } from "./access.ts";
import type { FacadeCall } from "./call.ts";

const ID = /(?:^|\/)(whk_[0-9a-f]{32})$/;
const EVENT_TYPE = /^[a-z][a-z0-9_]{0,127}$/;
const HEADER_NAME = /^[A-Za-z0-9_-]{1,100}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,1000}$/;
/** What the request says itself, or the connection. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
  ],
  ...["keep-alive", "proxy-authorization", "x-plinth-cause-depth", SIGNATURE_HEADER],
]);

/** `{url, event_types?, secret?, headers?}` → `{webhook}`, which is asked to echo a challenge. */
export const createWebhook: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const eventTypes = [...new Set(listOf(args["event_types"], typeOf))];
    checkTypes(caller, eventTypes);
    const headers = merged([], listOf(args["headers"], headerOf));
    checkHeaders(headers);
    const secret = secretOf(args) ?? "";
    const made = { snapInId: ownerOf(caller) ?? "", url: urlOf(textField(args, "url")), secret, eventTypes, headers };
    return { webhook: shown(await context.outgoingWebhooks.create(caller.scope, made)) };
  },
};

/** `{id}` → `{webhook}` */
export const getWebhook: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const found = await context.outgoingWebhooks.find(caller.scope, idOf(args), ownerOf(caller));
    if (found === undefined) throw noSuchWebhook();
    return { webhook: shown(found) };
  },
};

/** → `{webhooks}` */
export const listWebhooks: FacadeCall = {
  scope: null,
  handle: async (context, { caller }) => ({
    webhooks: (await context.outgoingWebhooks.list(caller.scope, ownerOf(caller))).map(shown),
  }),
};

/**
 * `{id, action?, url?, secret?, event_types?: {add, remove} or {set}, headers?: the same}` → `{webhook}`. Another URL or secret is
 * verified anew.
 */
export const updateWebhook: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const url = optionalTextField(args, "url");
    const secret = secretOf(args);
    const action = choiceField(args, "action", ["activate", "deactivate"]);
    const types = changeOf(args, "event_types", typeOf, typeOf);
    const headers = changeOf(args, "headers", headerOf, (given) => textOf(given).toLowerCase());
    const change = {
      ...(url === undefined ? {} : { url: urlOf(url) }),
      ...(secret === undefined ? {} : { secret }),
      ...(action === undefined ? {} : { action }),
      ...(types === undefined
        ? {}
        : {
            eventTypes: (before: readonly string[]) =>
              types.set ?? [...new Set([...before, ...types.add])].filter((each) => !types.remove.includes(each)),
          }),
      ...(headers === undefined
        ? {}
        : {
            headers: (before: readonly WebhookHeader[]) =>
              merged(headers.set === undefined ? before : [], headers.set ?? headers.add).filter(
                ({ name }) => !headers.remove.includes(name.toLowerCase()),
              ),
          }),
    };
    const check = (row: WebhookRow): void => {
      checkTypes(caller, row.eventTypes);
      checkHeaders(row.headers);
    };
    const id = idOf(args);
    return { webhook: shown(await context.outgoingWebhooks.update(caller.scope, { id, owner: ownerOf(caller), change, check })) };
  },
};

/** `{id}` → `{}` */
export const deleteWebhook: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    if (!(await context.outgoingWebhooks.delete(caller.scope, idOf(args), ownerOf(caller)))) throw noSuchWebhook();
    return {};
  },
};

function shown({ id, url, secret, eventTypes, headers, status, createdMs, modifiedMs }: WebhookRow) {
  const dates = { created_date: new Date(createdMs).toISOString(), modified_date: new Date(modifiedMs).toISOString() };
  return { id, display_id: id, ...dates, url, secret, event_types: eventTypes, headers, status };
}

function ownerOf({ actor }: Caller): string | undefined {
  return actor.service?.snapInId;
}

/** What a webhook hears of objects goes outside whole, so its maker must be able to read all of them. */
function checkTypes({ actor }: Caller, types: readonly string[]): void {
  const max = limit("webhookEventTypesMax");
  if (types.length > max) throw plinthError("RequestTooLarge", { what: "`event_types`", actual: `${types.length} types`, max });
  const grants = grantsOf(actor);
  if (grants === null) return;
  for (const type of types) {
    if (!isChangeType(type)) continue;
    const object = type.slice(0, type.lastIndexOf("_"));
    if (!["read", "write", "all"].some((permission) => grants.includes(`${object}:${permission}`)))
      throw plinthError("Forbidden", { scope: `${object}:read` });
  }
}

function checkHeaders(headers: readonly WebhookHeader[]): void {
  const max = limit("webhookHeadersMax");
  if (headers.length > max) throw plinthError("RequestTooLarge", { what: "`headers`", actual: `${headers.length} headers`, max });
}

/** A name stands once; the later value counts. */
function merged(before: readonly WebhookHeader[], added: readonly WebhookHeader[]): readonly WebhookHeader[] {
  const byName = new Map([...before, ...added].map((header) => [header.name.toLowerCase(), header]));
  return [...byName.values()];
}

interface Change<T, R> {
  readonly add: readonly T[];
  readonly remove: readonly R[];
  readonly set: readonly T[] | undefined;
}

function changeOf<T, R>(
  args: JsonObject,
  field: string,
  parse: (given: unknown) => T,
  name: (given: unknown) => R,
): Change<T, R> | undefined {
  const given = args[field];
  if (given === undefined || given === null) return undefined;
  if (typeof given !== "object" || Array.isArray(given))
    throw wrong(`\`${field}\` must be an object with \`add\` and \`remove\`, or \`set\`.`);
  const { add, remove, set } = given as JsonObject;
  if (set !== undefined && (add !== undefined || remove !== undefined))
    throw wrong(`\`${field}\` has either \`set\`, or \`add\` and \`remove\`.`);
  return { add: listOf(add, parse), remove: listOf(remove, name), set: set === undefined ? undefined : listOf(set, parse) };
}

function listOf<T>(given: unknown, parse: (each: unknown) => T): readonly T[] {
  if (given === undefined || given === null) return [];
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length > limit("webhookEventTypesMax")) throw wrong("A list is too long.");
  return list.map(parse);
}

function typeOf(given: unknown): string {
  if (typeof given !== "string" || !EVENT_TYPE.test(given) || given === "verify")
    throw wrong("`event_types` must be names such as `work_created`.");
  return given;
}

function headerOf(given: unknown): WebhookHeader {
  const { name, value } = (typeof given === "object" && given !== null ? given : {}) as {
    readonly name?: unknown;
    readonly value?: unknown;
  };
  if (typeof name !== "string" || !HEADER_NAME.test(name) || OWN_HEADERS.has(name.toLowerCase()))
    throw wrong("A header's name has letters, digits, hyphens and underscores, and is none of the request's own.");
  if (typeof value !== "string" || !HEADER_VALUE.test(value)) throw wrong("A header's value is at most 1000 printable characters.");
  return { name, value };
}

function textOf(given: unknown): string {
  if (typeof given !== "string") throw wrong("`headers.remove` must be a list of names.");
  return given;
}

function urlOf(text: string): string {
  const url = text.length <= limit("webhookUrlCharsMax") ? URL.parse(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw wrong("`url` must be an http or https URL without a user.");
  return url.href;
}

/** Empty: a new one. Bytes in base64; absent when nothing is said. */
function secretOf(args: JsonObject): string | undefined {
  const secret = optionalTextField(args, "secret");
  if (secret === undefined || secret === "") return secret;
  const bytes = Buffer.from(secret, "base64").length;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(secret) || bytes < 8 || bytes > 32) throw wrong("`secret` must be 8 to 32 bytes in base64.");
  return secret;
}

function idOf(args: JsonObject): string {
  const id = ID.exec(textField(args, "id").slice(0, 600))?.[1];
  if (id === undefined) throw noSuchWebhook();
  return id;
}

function wrong(detail: string): Error {
  return plinthError("BadRequest", { detail });
}
