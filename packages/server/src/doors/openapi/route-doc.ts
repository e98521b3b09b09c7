/** What is written about a route beside it; the OpenAPI document is made from it, and tests check answers by it. */
import type { ErrorCode } from "@plinth/core/errors.ts";
import type { Access, Route } from "../door.ts";
import type { Schema } from "./schema.ts";

export interface RouteDoc {
  readonly summary: string;
  readonly description?: string;
  readonly tag: Tag;
  /** Who may call, for routes that find it out by themselves; the route's `access` when absent. */
  readonly access?: Access;
  /** Of the names in the path; a text when absent. */
  readonly path?: Readonly<Record<string, Schema>>;
  /** In names `!` at the end says that the parameter has to be there. */
  readonly query?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, Schema>>;
  readonly body?: BodyDoc;
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** What it may refuse with, besides what every route may (`GENERAL_ERRORS`). */
  readonly errors?: readonly ErrorCode[];
}

export interface DocumentedRoute extends Route {
  readonly doc: RouteDoc;
}

export interface BodyDoc {
  readonly required: boolean;
  /** By media type. */
  readonly content: Readonly<Record<string, Schema>>;
}

export interface AnswerDoc {
  readonly description: string;
  /** By media type; streams are told in `events`. */
  readonly content: Readonly<Record<string, Schema>>;
  /** Data of the events by their names, where the answer may be a stream. */
  readonly events?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, Schema>>;
}

export const TAGS = {
  Functions: "What is deployed, and calls of it.",
  Invocations: "Records of calls.",
  Operations: "The catalogue of operations, and calls of them.",
  Deploys: "Versions of functions, and their environment.",
  Packages: "Packages of handlers: uploads, the ledger, moves of a head.",
  "Snap-ins": "Packages that are installed on a branch.",
  Commands: "What users type, and what they do with elements that packages show.",
  Events: "Events for packages, what waits and what could not be delivered.",
  Flows: "Steps that run one after the other, across restarts.",
  Sync: "Data that packages keep in step with other systems.",
  Keyrings: "Credentials of other systems.",
  Branches: "Branches of a tenant.",
  Keys: "API keys of a tenant.",
  Limits: "What calls of a tenant may take, and what they used.",
  Tenants: "Organisations of the host.",
  Host: "The host itself.",
} as const;

export type Tag = keyof typeof TAGS;

export const JSON_MEDIA = "application/json";

export function json(schema: Schema, description = "Done."): AnswerDoc {
  return { description, content: { [JSON_MEDIA]: schema } };
}

/** One JSON answer, or a stream of events where `Accept` asks for one. */
export function jsonOrEvents(schema: Schema, events: Readonly<Record<string, Schema>>, description = "Done."): AnswerDoc {
  return { ...json(schema, description), events };
}

export function jsonBody(schema: Schema): BodyDoc {
  return { required: true, content: { [JSON_MEDIA]: schema } };
}

/** A body that may be absent. */
export function optionalJsonBody(schema: Schema): BodyDoc {
  return { required: false, content: { [JSON_MEDIA]: schema } };
}
