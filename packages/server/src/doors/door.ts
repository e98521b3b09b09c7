/**
 * What a door is made of. A route is one value in one file; its door's table lists it, and `api-server.ts`
 * serves the table. Routes see parsed requests and return replies, so no route touches the HTTP library.
 *
 * Every route is also reached under `/t/<tenant>`.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Branches } from "../branches/branches.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { HeadSnapshots } from "../branches/head-snapshots.ts";
import type { UsedBranches } from "../branches/used-branches.ts";
import type { Config } from "../config.ts";
import type { Database, Scope } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import type { Actor, Engine, KeyScope } from "../engine/invocation.ts";
import type { Events } from "../events/events.ts";
import type { Flows } from "../flows/flows.ts";
import type { ScriptCallbacks } from "../flows/scripts/script-callbacks.ts";
import type { FlowWebhooks } from "../flows/triggers/flow-webhooks.ts";
import type { InboundArtefacts } from "../inbound/artefacts.ts";
import type { ArtefactUploads } from "../inbound/uploads.ts";
import type { Emails } from "../inbound/emails.ts";
import type { Webhooks } from "../inbound/webhooks.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { OutgoingWebhooks } from "../outgoing/outgoing-webhooks.ts";
import type { Operations } from "../operations/operations.ts";
import type { Packages } from "../packages/packages.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CellsReport } from "../sandbox/jail/tiers.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { ServiceTokens } from "../snap-ins/service-tokens.ts";
import type { SnapIns } from "../snap-ins/snap-ins.ts";
import type { Store } from "../store/store.ts";
import type { OpenSync } from "../sync/open-sync.ts";
import type { AdminKey } from "../tenants/admin-key.ts";
import type { Keys } from "../tenants/keys.ts";
import type { TenantEraser } from "../tenants/tenant-eraser.ts";
import type { Tenants } from "../tenants/tenants.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { ConnectionBounds } from "./connection-bounds.ts";
import type { BodyTurns } from "./body-turns.ts";
import type { FinishedInvocation, InvocationFeed } from "./invocation-feed.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

/** What the routes work with. Made by `host.ts`. */
export interface DoorContext {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly database: Database;
  readonly commits: Pick<Store, "onCommit">;
  readonly deploys: Deploys;
  readonly snapIns: SnapIns;
  /** Tokens with which snap-ins call back. */
  readonly serviceTokens: Pick<ServiceTokens, "holder" | "create">;
  readonly engine: Engine;
  readonly packages: Packages;
  readonly sandbox: Sandbox;
  readonly tenants: Tenants;
  readonly eraser: TenantEraser;
  readonly keys: Keys;
  readonly events: Events;
  readonly webhooks: Pick<Webhooks, "take">;
  readonly emails: Pick<Emails, "check" | "take">;
  readonly inboundArtefacts: Pick<InboundArtefacts, "read">;
  readonly artefactUploads: ArtefactUploads;
  readonly outgoingWebhooks: Omit<OutgoingWebhooks, "deliver" | "forgetSnapIn">;
  readonly operations: Operations;
  readonly flows: Flows;
  readonly scriptCallbacks: Pick<ScriptCallbacks, "take">;
  readonly flowHooks: Pick<FlowWebhooks, "take">;
  readonly keyrings: Keyrings;
  readonly sync: Omit<OpenSync, "resume" | "stop" | "endBranch" | "tidyUp" | "forgetSnapIn">;
  readonly branches: Branches;
  readonly budgets: Pick<Budgets, "limits" | "setLimits" | "spending">;
  readonly headSnapshots: Pick<HeadSnapshots, "list">;
  readonly usedBranches: Pick<UsedBranches, "note">;
  readonly adminKey: AdminKey;
  readonly feed: InvocationFeed;
  /** Stored invocations of a branch with console lines or failures, oldest first; bounded. */
  readonly recentInvocations: (scope: Scope) => Promise<readonly FinishedInvocation[]>;
  readonly streams: OpenStreams;
  readonly bodies: BodyBudget;
  readonly connections: ConnectionBounds;
  readonly answers: UnreadAnswers;
  readonly bodyTurns: BodyTurns;
  readonly metricsText: () => Promise<string>;
  readonly backup: (path: string) => Promise<void>;
  /** Isolation tier of the host. */
  readonly tier: number;
  /** Where packages run, when that is not in process jails. */
  readonly packageCells: CellsReport | undefined;
  readonly startedMs: number;
  /** Whether callers without an admin key see only ids of failures. */
  readonly redactErrors: boolean;
  /** URLs that clients use; known when the ports are open. */
  readonly urls: Promise<{ readonly api: string; readonly site: string }>;
  readonly log: DoorLog;
}

/** Where details go that callers must not see. */
export interface DoorLog {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** Who sent a request, and whose data it is about. */
export interface Caller {
  readonly scope: Scope;
  readonly actor: Actor;
  /** Called with the key of the host's operator. */
  readonly instanceAdmin: boolean;
  /** `/t/<tenant>` when the request came that way, for links in answers. */
  readonly prefix: string;
  /** `?branch=<branch>` for another branch than `main`, for links in answers. */
  readonly query: string;
}

/**
 * Who may call a route:
 * - open: anybody; no key is looked at.
 * - public: anybody, unless the tenant asks for a key with `invoke`.
 * - a list of scopes: a key with one of them (`admin` includes all).
 * - operator: the admin key of the host.
 */
export type Access = "open" | "public" | "operator" | readonly KeyScope[];

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path with `:name` parameters. */
  readonly path: string;
  readonly access: Access;
  /** Tokens of service accounts open the route too, whatever `access` says; credentials may come without `Bearer`. */
  readonly serviceTokens?: boolean;
  /** The route is about no branch (tenants, keys, branches themselves, the host) and ignores what names one. */
  readonly branchless?: boolean;
  /** Gives the body as it comes, in `body`, instead of reading it first. The route bounds it. */
  readonly streamsBody?: boolean;
  /** Larger bodies are refused before they are read; `requestBodyBytesMax` when absent. */
  readonly bodyBytesMax?: number;
  /** Answers requests of browsers on other origins. */
  readonly crossOrigin?: boolean;
  readonly handle: (context: DoorContext, request: DoorRequest) => Promise<Reply>;
}

export interface DoorRequest {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** As it came, without the question mark. */
  readonly queryText: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came, one after the other. */
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: Buffer | undefined;
  /** Of routes that stream their body. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Aborts when the client goes away before the answer is sent. */
  readonly signal: () => AbortSignal;
}

export type Reply = TextReply | StreamReply | FileReply;

export interface TextReply {
  readonly kind: "text";
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes that somebody left here. No browser takes them for a page. */
export interface FileReply {
  readonly kind: "file";
  readonly body: Readable;
  readonly bytes: number;
}

/** An answer that grows: `write` sends events until it returns or the signal aborts. */
export interface StreamReply {
  readonly kind: "stream";
  readonly form: StreamForm;
  readonly write: (stream: EventSink) => Promise<void>;
}

/** `events` is text/event-stream; `lines` is one JSON object per line, with the event's name in `event`. */
export type StreamForm = "events" | "lines";

export interface EventSink {
  /** Sends one event; `dataText` is JSON text. */
  send(event: string, dataText: string): void;
  /** Aborts when the client is gone, its key is revoked or the host shuts down. */
  readonly signal: AbortSignal;
}

export const JSON_TYPE = "application/json; charset=utf-8";

export function jsonReply(value: unknown, status = 200, headers?: Readonly<Record<string, string>>): TextReply {
  return jsonTextReply(JSON.stringify(value), status, headers);
}

export function jsonTextReply(body: string, status = 200, headers?: Readonly<Record<string, string>>): TextReply {
  return { kind: "text", status, contentType: JSON_TYPE, body, ...(headers === undefined ? {} : { headers }) };
}
