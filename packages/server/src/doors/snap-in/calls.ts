/** Calls about the platform itself, by name. All others are functions of the branch. */
import type { KeyScope } from "../../engine/invocation.ts";
import { createAuthToken, getServiceAccount, selfDevUser } from "./accounts.ts";
import { getArtifact, locateArtifact, prepareArtifact } from "./artifacts.ts";
import type { FacadeCall } from "./call.ts";
import { getEventSource, listEventSources, scheduleEvent, unscheduleEvent } from "./event-sources.ts";
import { getKeyring, listKeyrings } from "./keyrings.ts";
import { executeDeferred } from "./snap-kit-actions.ts";
import { listCommands } from "./commands.ts";
import { createWebhook, deleteWebhook, getWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";
import { getSnapIn, listSnapIns, snapInResources, systemUpdateSnapIn, updateSnapIn } from "./snap-ins.ts";

export const PLATFORM_CALLS: Readonly<Record<string, FacadeCall>> = {
  "snap-ins.get": getSnapIn,
  "snap-ins.list": listSnapIns,
  "snap-ins.update": updateSnapIn,
  "snap-ins.system-update": systemUpdateSnapIn,
  "snap-ins.resources": snapInResources,
  "event-sources.get": getEventSource,
  "event-sources.list": listEventSources,
  "event-sources.schedule": scheduleEvent,
  "event-sources.unschedule": unscheduleEvent,
  "artifacts.prepare": prepareArtifact,
  "artifacts.locate": locateArtifact,
  "artifacts.get": getArtifact,
  "webhooks.create": createWebhook,
  "webhooks.get": getWebhook,
  "webhooks.list": listWebhooks,
  "webhooks.update": updateWebhook,
  "webhooks.delete": deleteWebhook,
  "keyrings.get": getKeyring,
  "keyrings.list": listKeyrings,
  "service-accounts.get": getServiceAccount,
  "dev-users.self": selfDevUser,
  "auth-tokens.create": createAuthToken,
  "commands.list": listCommands,
  "snap-kit-action.execute.deferred": executeDeferred,
};

/** What a key needs for a call about the platform; `invoke` for those that are not here. */
export const KEY_SCOPES: Readonly<Record<string, readonly KeyScope[]>> = {
  "snap-ins.get": ["read", "deploy"],
  "snap-ins.list": ["read", "deploy"],
  "snap-ins.update": ["deploy"],
  "snap-ins.system-update": ["deploy"],
  "event-sources.get": ["read", "deploy"],
  "event-sources.list": ["read", "deploy"],
  "artifacts.locate": ["read", "invoke"],
  "artifacts.get": ["read", "invoke"],
  "webhooks.create": ["deploy"],
  "webhooks.get": ["deploy"],
  "webhooks.list": ["deploy"],
  "webhooks.update": ["deploy"],
  "webhooks.delete": ["deploy"],
  "keyrings.get": ["admin"],
  "keyrings.list": ["admin"],
  "service-accounts.get": ["read", "deploy"],
};
