/**
 * Makes the events of handlers in the form of the snap-in contract: payload, context, execution metadata and input data. A package
 * that is not installed on the branch can be called too; its events have no inputs, keyrings or token.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { Database, Scope } from "../database/database.ts";
import { EVENT_SOURCES, SNAP_INS, SNAP_INS_BY_PACKAGE } from "../database/record-tables.ts";
import type { HandlerEvent, HandlerEventRequest, HandlerEvents } from "../engine/handler-event.ts";
import type { CredentialTickets, OpenCredential } from "../keyrings/credential-tickets.ts";
import type { DeliveredKeyring, Keyrings } from "../keyrings/keyrings.ts";
import type { Packages } from "../packages/packages.ts";
import { limit } from "@plinth/core/limits.ts";
import { objectName, organisationName } from "./ids.ts";
import type { ServiceTokens } from "./service-tokens.ts";
import { isLive, type EventSourceRow, type SnapInRow } from "./snap-in-records.ts";

export interface HandlerEventsOptions {
  readonly database: Database;
  readonly packages: Pick<Packages, "version">;
  readonly keyrings: Pick<Keyrings, "deliver" | "redact">;
  readonly tokens: ServiceTokens;
  readonly urls: Promise<{ readonly api: string }>;
  /** Credentials that functions check or refresh. */
  readonly credentials?: Pick<CredentialTickets, "open">;
}

interface Installed {
  readonly snapIn: SnapInRow;
  readonly sources: readonly EventSourceRow[];
}

export function handlerEvents(options: HandlerEventsOptions): HandlerEvents {
  const { keyrings } = options;
  return {
    build: (request) => buildEvent(options, request),
    keyrings: async (scope, names) => {
      const delivered = await keyrings.deliver(scope, names);
      const missing = names.find((name) => !Object.hasOwn(delivered, name));
      if (missing !== undefined) throw plinthError("NotFound", { what: `keyring '${missing.slice(0, 64)}'` });
      return { secrets: secretsOf(delivered), redact: (text) => keyrings.redact(text, delivered) };
    },
  };
}

async function buildEvent(options: HandlerEventsOptions, request: HandlerEventRequest): Promise<HandlerEvent> {
  const { scope, fn, subject, step } = request;
  if (subject.isGiven === true) return await givenEvent(options, request);
  const credential = subject.credentialTicket === undefined ? undefined : openCredential(options, subject.credentialTicket);
  const { api } = await options.urls;
  const installed = await findInstalled(options.database, request);
  const live = installed !== undefined && isLive(installed.snapIn) ? installed.snapIn : undefined;
  const delivered = live === undefined ? {} : await deliver(options, request, live);
  const token = await tokenOf(options, scope, live);
  const actor = subject.actsForUser === true && subject.userId !== undefined ? await tokenOf(options, scope, live, subject.userId) : "";
  const event = {
    payload: credential?.payload ?? request.payload ?? {},
    context: {
      dev_oid: organisationName(scope),
      source_id: subject.sourceId,
      snap_in_id: installed === undefined ? "" : objectName(scope, "snap_in", installed.snapIn.id),
      snap_in_version_id: objectName(scope, "snap_in_version", fn.version.digest),
      service_account_id: installed?.snapIn.serviceAccountId ?? "",
      user_id: subject.userId ?? "",
      // Of agent skills: in whose conversation, and which call there.
      ...(subject.agent === undefined ? {} : { agent_session_id: subject.agent.sessionId, skill_call_id: subject.agent.skillCallId }),
      secrets: {
        service_account_token: token,
        ...(actor === "" ? {} : { actor_session_token: actor }),
        // Operations find the token of whoever asks under a name of its own.
        ...(subject.operationSlug === undefined ? {} : { access_token: actor === "" ? token : actor }),
      },
    },
    execution_metadata: {
      request_id: request.requestId,
      function_name: fn.handler?.name ?? "",
      event_type: subject.eventType,
      devrev_endpoint: api,
      ...(subject.operationSlug === undefined ? {} : { operation_slug: subject.operationSlug }),
      ...(subject.operationMethod === undefined ? {} : { operation_method: subject.operationMethod }),
      ...(step === undefined ? {} : { idempotency_key: step.idempotencyKey }),
      ...(step?.callback === undefined
        ? {}
        : {
            callback_url: step.callback.url,
            callback_token: step.callback.token,
            callback_deadline: new Date(step.callback.deadlineMs).toISOString(),
          }),
    },
    input_data: {
      global_values: subject.inputs ?? installed?.snapIn.inputs ?? {},
      event_sources: Object.fromEntries((installed?.sources ?? []).map(({ name, id }) => [name, id])),
      keyrings: secretsOf(delivered),
      resources: {
        keyrings: Object.fromEntries(
          Object.entries(delivered).map(([name, { id, secret, typeId }]) => [name, { id, secret, type_id: typeId }]),
        ),
        tags: installed?.snapIn.tags ?? {},
      },
    },
  };
  return {
    text: JSON.stringify(event),
    environment: await environmentOf(options, request, delivered),
    redact: (text) => {
      const withoutTokens = without(without(text, token, "[service account token]"), actor, "[actor session token]");
      return options.keyrings.redact(credential?.redact(withoutTokens) ?? withoutTokens, delivered);
    },
    ...(credential === undefined ? {} : { takeResult: credential.takeResult }),
  };
}

/** An event that somebody else made: nothing is added to it, so it holds no secret of this host. */
async function givenEvent(options: HandlerEventsOptions, request: HandlerEventRequest): Promise<HandlerEvent> {
  return { text: JSON.stringify(request.payload), environment: await environmentOf(options, request, {}), redact: (text) => text };
}

function openCredential({ credentials }: HandlerEventsOptions, ticket: string): OpenCredential {
  const credential = credentials?.open(ticket);
  if (credential === undefined) throw plinthError("NotFound", { what: "credential to check; its check has ended" });
  return credential;
}

function without(text: string, secret: string, name: string): string {
  return secret === "" ? text : text.replaceAll(secret, name);
}

async function findInstalled(database: Database, { scope, fn, subject }: HandlerEventRequest): Promise<Installed | undefined> {
  const { snapInId } = subject;
  const name = snapInId === undefined ? `of a package\n${fn.handler?.package ?? ""}` : `by its id\n${snapInId}`;
  const installed = await database.readKept(scope, `snap-in with its sources, ${name}`, async ({ records }) => {
    const id = snapInId ?? (await records.get(SNAP_INS_BY_PACKAGE, [fn.handler?.package ?? ""]));
    const snapIn = id === undefined ? undefined : await records.get(SNAP_INS, [id]);
    if (snapIn === undefined) return undefined;
    const rows = await records.range(EVENT_SOURCES, { prefix: [snapIn.id], limit: limit("eventSourcesPerSnapInMax") });
    return { snapIn, sources: rows.map(({ value }) => value) };
  });
  if (installed === undefined) {
    if (snapInId !== undefined) throw plinthError("NotFound", { what: "snap-in of the call" });
    return undefined;
  }
  const { snapIn } = installed;
  const sources = installed.sources.filter(({ user, enabled }) => enabled && (user === null || user === subject.userId));
  return { snapIn, sources };
}

/** The keyrings that the function declares (Y2): the organisation's by their bindings, and those of the user. */
async function deliver(
  options: HandlerEventsOptions,
  { scope, fn, subject }: HandlerEventRequest,
  snapIn: SnapInRow,
): Promise<Readonly<Record<string, DeliveredKeyring>>> {
  const operationKeyrings = subject.operationSlug === undefined ? [] : (fn.handler?.operationKeyrings?.get(subject.operationSlug) ?? []);
  const declared = [...new Set([...(fn.handler?.keyrings ?? []), ...operationKeyrings])];
  const bound = declared.flatMap((name) => {
    const keyring = Object.hasOwn(snapIn.keyrings, name) ? snapIn.keyrings[name] : undefined;
    return keyring === undefined ? [] : [{ name, keyring }];
  });
  const delivered: Record<string, DeliveredKeyring> = {};
  if (bound.length > 0) {
    const found = await options.keyrings.deliver(
      scope,
      bound.map(({ keyring }) => keyring),
    );
    for (const { name, keyring } of bound) if (found[keyring] !== undefined) delivered[name] = found[keyring];
  }
  const own = declared.filter((name) => !Object.hasOwn(snapIn.keyrings, name));
  if (subject.userId !== undefined && own.length > 0)
    Object.assign(delivered, await options.keyrings.deliver(scope, own, { user: subject.userId }));
  return delivered;
}

/** The account's token, or one that stands for a user; empty where the package has no account. */
async function tokenOf(options: HandlerEventsOptions, scope: Scope, snapIn: SnapInRow | undefined, user?: string): Promise<string> {
  const accountId = snapIn?.serviceAccountId ?? null;
  return accountId === null ? "" : await options.tokens.issue(scope, accountId, user);
}

/** Variables of `build_config`: plain values, and secrets of keyrings that the function may have. */
async function environmentOf(
  { packages }: HandlerEventsOptions,
  { scope, fn }: HandlerEventRequest,
  delivered: Readonly<Record<string, DeliveredKeyring>>,
): Promise<Readonly<Record<string, string>>> {
  const version = fn.handler === undefined ? undefined : await packages.version(scope, fn.handler.package, fn.version.digest);
  const environment: Record<string, string> = {};
  for (const { name, type, value } of version?.manifest.buildConfig.environmentVariables ?? []) {
    const text = type === "keyring" ? delivered[value]?.secret : value;
    if (text !== undefined) environment[name] = text;
  }
  return environment;
}

function secretsOf(delivered: Readonly<Record<string, DeliveredKeyring>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(delivered).map(([name, { secret }]) => [name, secret]));
}
