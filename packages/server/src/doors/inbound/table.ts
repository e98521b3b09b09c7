/** The routes that the outside sends events to. */
import type { Route } from "../door.ts";
import { getArtefact, postEmail } from "./emails.ts";
import { getEventSource, getWebhook, postEventSource, postWebhook } from "./webhooks.ts";

export const INBOUND_ROUTES = {
  getWebhook,
  postWebhook,
  getEventSource,
  postEventSource,
  postEmail,
  getArtefact,
} as const satisfies Record<string, Route>;
