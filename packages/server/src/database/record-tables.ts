/**
 * The one list of the platform's record tables. Each has a number in the key space that is never changed
 * and never given to another table, because stored data carries it. Ranges keep the areas apart:
 *
 * | space  | area                                     |
 * |--------|------------------------------------------|
 * | 1–19   | versions, heads, environment             |
 * | 20–39  | engine: invocations, queue, idempotency  |
 * | 40–59  | schedules: due times, crons              |
 * | 60–79  | tenants and keys                         |
 * | 80–99  | packages: versions, heads, ledger        |
 * | 100–119| branches, snapshots of heads             |
 * | 120–139| snap-ins and their sagas                 |
 * | 140–159| keyrings                                 |
 * | 160–179| events, deliveries, dead letters         |
 * | 180–199| limits, prices, budgets                  |
 * | 200–219| sync runs, their state and artefacts     |
 * | 220–239| operations, search                       |
 * | 240–259| flows and their runs                     |
 *
 * To add a table: export it from this file with the next free number of its area. `parse` receives what
 * `JSON.parse` made of a stored row and returns the row's type, or throws.
 */
import { assert } from "@plinth/core/assert.ts";
import {
  parseDeadLetter,
  parseDelivery,
  parseEvent,
  parseEventKey,
  parseEventMark,
  parseFlowEvent,
  parseSubscription,
  parseSubscriptions,
  parseTimer,
  parseWaitingCount,
} from "../events/event-records.ts";
import { parseBranch, parseDailyJob, parseHeadSnapshot, parseUsedBranches } from "../branches/branch-records.ts";
import { parseHead, parseLedgerEntry, parseStoredVersion, parseVariable } from "../deploys/version-records.ts";
import { parseIdempotencyRow, parseInvocationRecord, parseQueueRow, parseStoredRequest } from "../engine/engine-records.ts";
import { parseDroppedBlob, parsePackageHead, parsePackageLedgerRow, parsePackageVersionRow } from "../packages/package-records.ts";
import { parseCronRow, parseCronRunRow, parseJobRow } from "../schedules/schedule-records.ts";
import {
  parseEventSource,
  parseName,
  parseQueue,
  parseSaga,
  parseServiceAccount,
  parseServiceToken,
  parseSnapIn,
  parseTrigger,
  parseUserInputs,
} from "../snap-ins/snap-in-records.ts";
import { parseKeyringName, parseKeyringRow, parseKeyringType, parseOauthState } from "../keyrings/keyring-records.ts";
import { parseSpending, parseTenantLimits } from "../budgets/limit-records.ts";
import {
  parseSyncArtefact,
  parseSyncBlueprint,
  parseSyncCall,
  parseSyncMapper,
  parseSyncRun,
  parseSyncState,
  parseSyncUnit,
} from "../sync/sync-records.ts";
import {
  parseAnswer,
  parseFlow,
  parseFlowLedger,
  parseFlowTests,
  parseFlowVersion,
  parseJournal,
  parseRefusedAnswer,
  parseRun,
  parseRunId,
  parseSnapshot,
  parseStoredValue,
} from "../flows/flow-records.ts";
import { parseAsyncScript } from "../flows/scripts/script-records.ts";
import { parseStepLog } from "../flows/step-log-records.ts";
import { parseVersionBundles } from "../flows/bundles/bundle-records.ts";
import { parseFlowTrigger } from "../flows/triggers/trigger-records.ts";
import { parseArtefactUpload, parseInboundArtefact } from "../inbound/artefact-records.ts";
import { parseWebhook } from "../outgoing/webhook-records.ts";
import { parseKeyRecord, parseMark, parseTenant } from "../tenants/tenant-records.ts";
import type { RecordTable, Scope } from "./database.ts";

/** Records that belong to no tenant. Names that begin with `$` cannot be given to tenants or branches. */
export const PLATFORM_SCOPE: Scope = { tenant: "$platform", branch: "$platform" };

const tablesBySpace = new Map<number, RecordTable<unknown>>();

/** Makes a record table; refuses a number or name that another table has. */
export function defineRecordTable<T>(table: RecordTable<T>): RecordTable<T> {
  assert(Number.isInteger(table.space) && table.space >= 1 && table.space <= 0xffff, `space of ${table.name} is a 16-bit number`);
  for (const other of tablesBySpace.values()) {
    assert(
      other.space !== table.space && other.name !== table.name,
      `record table ${table.name} (${table.space}) collides with ${other.name} (${other.space})`,
    );
  }
  tablesBySpace.set(table.space, table);
  return table;
}

/** All tables, by number. */
export function recordTables(): readonly RecordTable<unknown>[] {
  return [...tablesBySpace.values()].sort((a, b) => a.space - b.space);
}

// Versions, heads, environment (1–19).
export const HEADS = defineRecordTable({ space: 1, name: "heads", parse: parseHead });
export const VERSION_LEDGER = defineRecordTable({ space: 2, name: "versionLedger", parse: parseLedgerEntry });
export const VERSIONS = defineRecordTable({ space: 3, name: "versions", parse: parseStoredVersion });
export const ENVIRONMENT = defineRecordTable({ space: 5, name: "environment", parse: parseVariable });

/** Key: tenant, branch, digest. Versions that left the last heads and that runs of flows may need. */
export const KEPT_VERSIONS = defineRecordTable({ space: 6, name: "keptVersions", placement: "platform", parse: parseMark });

// Engine (20–39).
export const INVOCATIONS = defineRecordTable({ space: 20, name: "invocations", parse: parseInvocationRecord });
export const INVOCATION_REQUESTS = defineRecordTable({ space: 21, name: "invocationRequests", parse: parseStoredRequest });
/** Key: tenant, branch, id. */
export const INVOCATION_QUEUE = defineRecordTable({ space: 22, name: "invocationQueue", placement: "platform", parse: parseQueueRow });
export const IDEMPOTENCY = defineRecordTable({ space: 23, name: "idempotency", parse: parseIdempotencyRow });
/** Key: time of the first use, key. */
export const IDEMPOTENCY_BY_TIME = defineRecordTable({ space: 24, name: "idempotencyByTime", parse: parseMark });
/** Key: what is kept, day, tenant, branch. Says where rows of a day lie, so that they can be deleted in time. */
export const RETENTION_DAYS = defineRecordTable({ space: 25, name: "retentionDays", placement: "platform", parse: parseMark });

// Schedules (40–59).
/** Key: tenant, branch, due time, kind, id. What the scheduler's timers come from. */
export const DUE_TIMES = defineRecordTable({ space: 40, name: "dueTimes", placement: "platform", parse: parseMark });
export const SCHEDULED_JOBS = defineRecordTable({ space: 41, name: "scheduledJobs", parse: parseJobRow });
/** Key: time of the end, tenant, branch, id. Ended scheduled functions, until their retention ends. */
export const SCHEDULED_FINISHED = defineRecordTable({ space: 42, name: "scheduledFinished", placement: "platform", parse: parseMark });
export const CRONS = defineRecordTable({ space: 43, name: "crons", parse: parseCronRow });
/** Key: name of the cron, time of the run. */
export const CRON_RUNS = defineRecordTable({ space: 44, name: "cronRuns", parse: parseCronRunRow });

// Tenants and keys (60–79).
export const TENANTS = defineRecordTable({ space: 60, name: "tenants", parse: parseTenant });
export const KEYS = defineRecordTable({ space: 61, name: "keys", parse: parseKeyRecord });
export const KEYS_BY_TENANT = defineRecordTable({ space: 62, name: "keysByTenant", parse: parseMark });

// Packages (80–99).
/** Key: name. */
export const PACKAGE_HEADS = defineRecordTable({ space: 80, name: "packageHeads", parse: parsePackageHead });
/** Key: name, seq. */
export const PACKAGE_LEDGER = defineRecordTable({ space: 81, name: "packageLedger", parse: parsePackageLedgerRow });
/** Key: name, digest. */
export const PACKAGE_VERSIONS = defineRecordTable({ space: 82, name: "packageVersions", parse: parsePackageVersionRow });
/** Key: digest. Blobs that rows of retained moments refer to. */
export const DROPPED_BLOBS = defineRecordTable({ space: 83, name: "droppedBlobs", parse: parseDroppedBlob });

// Branches (100–119).
/** Key: tenant, branch. */
export const BRANCHES = defineRecordTable({ space: 100, name: "branches", placement: "platform", parse: parseBranch });
/** Key: day. */
export const HEAD_SNAPSHOTS = defineRecordTable({ space: 101, name: "headSnapshots", parse: parseHeadSnapshot });
/** Key: name of the job. */
export const DAILY_JOBS = defineRecordTable({ space: 102, name: "dailyJobs", placement: "platform", parse: parseDailyJob });
/** One row. */
export const USED_BRANCHES = defineRecordTable({ space: 103, name: "usedBranches", placement: "platform", parse: parseUsedBranches });

// Snap-ins and their sagas (120–139).
export const SNAP_INS = defineRecordTable({ space: 120, name: "snapIns", parse: parseSnapIn });
/** Key: name of the package. Value: id of the snap-in. */
export const SNAP_INS_BY_PACKAGE = defineRecordTable({ space: 121, name: "snapInsByPackage", parse: parseName });
/** Key: tenant, branch, id of the snap-in. Sagas that have not ended. */
export const SAGAS = defineRecordTable({ space: 122, name: "sagas", placement: "platform", parse: parseSaga });
/** Key: id of the snap-in, id. */
export const EVENT_SOURCES = defineRecordTable({ space: 123, name: "eventSources", parse: parseEventSource });
/** Key: token of an event source. */
export const TRIGGERS = defineRecordTable({ space: 124, name: "triggers", placement: "platform", parse: parseTrigger });
export const SERVICE_ACCOUNTS = defineRecordTable({ space: 125, name: "serviceAccounts", parse: parseServiceAccount });
/** Key: id of the service account, digest of the token. */
export const SERVICE_TOKENS = defineRecordTable({ space: 126, name: "serviceTokens", parse: parseServiceToken });
/** Key: id of the snap-in. */
export const QUEUES = defineRecordTable({ space: 127, name: "queues", parse: parseQueue });
/** Key: id of the snap-in, user. */
export const USER_INPUTS = defineRecordTable({ space: 128, name: "userInputs", parse: parseUserInputs });

// Keyrings (140–159).
export const KEYRINGS = defineRecordTable({ space: 140, name: "keyrings", parse: parseKeyringRow });
/** Key: user (null = the organisation), name. */
export const KEYRING_NAMES = defineRecordTable({ space: 141, name: "keyringNames", parse: parseKeyringName });
/** Key: package, id of the type. */
export const KEYRING_TYPES = defineRecordTable({ space: 142, name: "keyringTypes", parse: parseKeyringType });
/** Key: tenant, branch, id. Where keyrings lie, so that all can be encrypted anew. */
export const KEYRING_PLACES = defineRecordTable({ space: 143, name: "keyringPlaces", placement: "platform", parse: parseMark });
/** Key: sha-256 of the state. */
export const OAUTH_STATES = defineRecordTable({ space: 144, name: "oauthStates", placement: "platform", parse: parseOauthState });

// Limits and budgets (180–199).
/** Key: tenant. */
export const TENANT_LIMITS = defineRecordTable({ space: 180, name: "tenantLimits", placement: "platform", parse: parseTenantLimits });
/** Key: day, tenant. */
export const SPENDING = defineRecordTable({ space: 181, name: "spending", placement: "platform", parse: parseSpending });

// Events, deliveries, dead letters (160–179).
/** Key: `EventPlace`. Deleted with the last delivery. */
export const EVENTS = defineRecordTable({ space: 160, name: "events", parse: parseEvent });
/** Key: tenant, branch, and the first two parts of `EventPlace`. What the dispatcher gives to automations. */
export const EVENT_QUEUE = defineRecordTable({ space: 161, name: "eventQueue", placement: "platform", parse: parseEventMark });
/** Key: type of event, id of the event source, automation. */
export const SUBSCRIPTIONS = defineRecordTable({ space: 162, name: "subscriptions", parse: parseSubscription });
/** Key: id of the snap-in. Its subscriptions. */
export const SUBSCRIPTIONS_BY_SNAP_IN = defineRecordTable({ space: 163, name: "subscriptionsBySnapIn", parse: parseSubscriptions });
/** Key: `EventPlace`, id of the event source, automation. */
export const DELIVERIES = defineRecordTable({ space: 164, name: "deliveries", parse: parseDelivery });
/** Key: group, key of the delivery. Deliveries that run one after the other. */
export const DELIVERY_GROUPS = defineRecordTable({ space: 165, name: "deliveryGroups", parse: parseMark });
/** Key: tenant, branch, due time, key of the delivery. Deliveries whose turn it is. */
export const DELIVERY_QUEUE = defineRecordTable({ space: 166, name: "deliveryQueue", placement: "platform", parse: parseMark });
/** Key: id. */
export const DEAD_LETTERS = defineRecordTable({ space: 167, name: "deadLetters", parse: parseDeadLetter });
/** Key: time, id. Dead letters, until their retention ends. */
export const DEAD_LETTERS_BY_TIME = defineRecordTable({ space: 173, name: "deadLettersByTime", parse: parseMark });
/** Key: id of the event source, key of the event. */
export const EVENT_KEYS = defineRecordTable({ space: 168, name: "eventKeys", parse: parseEventKey });
/** Key: time, id of the event source, key of the event. */
export const EVENT_KEYS_BY_TIME = defineRecordTable({ space: 169, name: "eventKeysByTime", parse: parseMark });
/** Key: id of the event source. */
export const TIMERS = defineRecordTable({ space: 170, name: "timers", parse: parseTimer });
/** Key: id of the event source, key of the event. What waits for its time. */
export const FLOW_EVENTS = defineRecordTable({ space: 171, name: "flowEvents", parse: parseFlowEvent });
/** Key: id of the event source. How many wait. */
export const FLOW_EVENT_COUNTS = defineRecordTable({ space: 172, name: "flowEventCounts", parse: parseWaitingCount });
/** Key: id, which begins with its time. */
export const INBOUND_ARTEFACTS = defineRecordTable({ space: 179, name: "inboundArtefacts", parse: parseInboundArtefact });
/** Key: id. Addresses outside that get events. */
export const WEBHOOKS = defineRecordTable({ space: 177, name: "webhooks", parse: parseWebhook });
/** Key: id, which begins with its time. Files that are expected at URLs. */
export const ARTEFACT_UPLOADS = defineRecordTable({ space: 178, name: "artefactUploads", parse: parseArtefactUpload });

// Sync runs, their state and artefacts (200–219).
/** Key: id. */
export const SYNC_UNITS = defineRecordTable({ space: 200, name: "syncUnits", parse: parseSyncUnit });
/** Key: id. */
export const SYNC_RUNS = defineRecordTable({ space: 201, name: "syncRuns", parse: parseSyncRun });
/** Key: unit, time of the start, run. */
export const SYNC_RUNS_OF_UNIT = defineRecordTable({ space: 202, name: "syncRunsOfUnit", parse: parseMark });
/** Key: run, number of the call. */
export const SYNC_CALLS = defineRecordTable({ space: 203, name: "syncCalls", parse: parseSyncCall });
/** Key: tenant, branch, run. Runs that have not ended. */
export const OPEN_SYNC_RUNS = defineRecordTable({ space: 204, name: "openSyncRuns", placement: "platform", parse: parseMark });
/** Key: unit, direction. */
export const SYNC_STATES = defineRecordTable({ space: 205, name: "syncStates", parse: parseSyncState });
/** Key: run, id. */
export const SYNC_ARTEFACTS = defineRecordTable({ space: 206, name: "syncArtefacts", parse: parseSyncArtefact });
/** Key: unit, id. */
export const SYNC_MAPPERS = defineRecordTable({ space: 207, name: "syncMappers", parse: parseSyncMapper });
/** Key: unit, side (external or target), id of the item. Value: id of the mapping. */
export const SYNC_MAPPERS_BY_ITEM = defineRecordTable({ space: 208, name: "syncMappersByItem", parse: parseName });
/** Key: snap-in, slug of the import, id. */
export const SYNC_BLUEPRINTS = defineRecordTable({ space: 209, name: "syncBlueprints", parse: parseSyncBlueprint });

// Flows and their runs (240–259).
/** Key: name. */
export const FLOWS = defineRecordTable({ space: 240, name: "flows", parse: parseFlow });
/** Key: name, digest. */
export const FLOW_VERSIONS = defineRecordTable({ space: 241, name: "flowVersions", parse: parseFlowVersion });
/** Key: name, seq. */
export const FLOW_LEDGER = defineRecordTable({ space: 242, name: "flowLedger", parse: parseFlowLedger });
/** Key: id, which begins with the time of the start. */
export const FLOW_RUNS = defineRecordTable({ space: 243, name: "flowRuns", parse: parseRun });
/** Key: run, number of the first event. */
export const FLOW_JOURNAL = defineRecordTable({ space: 244, name: "flowJournal", parse: parseJournal });
/** Key: run. */
export const FLOW_SNAPSHOTS = defineRecordTable({ space: 245, name: "flowSnapshots", parse: parseSnapshot });
/** Key: name of the flow, run. */
export const FLOW_RUNS_OF_FLOW = defineRecordTable({ space: 246, name: "flowRunsOfFlow", parse: parseMark });
/** Key: run, sha-256 of the token. */
export const FLOW_ANSWERS = defineRecordTable({ space: 247, name: "flowAnswers", parse: parseAnswer });
/** Key: idempotency key of a start. Value: id of the run. */
export const FLOW_START_KEYS = defineRecordTable({ space: 248, name: "flowStartKeys", parse: parseRunId });
/** Key: tenant, branch, run. Runs that do something, in contrast to those that wait for a time or an answer. */
export const OPEN_FLOW_RUNS = defineRecordTable({ space: 249, name: "openFlowRuns", placement: "platform", parse: parseMark });
/** Key: run, number. Answers that came late, twice or with a forged token; the first ones of a run. */
export const FLOW_REFUSED_ANSWERS = defineRecordTable({ space: 250, name: "flowRefusedAnswers", parse: parseRefusedAnswer });
/** Key: run, run that one of its steps has begun. */
export const FLOW_CHILDREN = defineRecordTable({ space: 251, name: "flowChildren", parse: parseMark });
/** Key: run, time of the first line and something random. What steps printed. */
export const FLOW_STEP_LOGS = defineRecordTable({ space: 253, name: "flowStepLogs", parse: parseStepLog });
/** Key: tenant, branch, run, key and attempt of the step. Scripts that run apart from their run. */
export const FLOW_SCRIPTS = defineRecordTable({ space: 254, name: "flowScripts", placement: "platform", parse: parseAsyncScript });
/** Key: run, digest. Stored values that a run refers to. */
export const FLOW_VALUES = defineRecordTable({ space: 256, name: "flowValues", parse: parseStoredValue });
/** Key: name, digest of the version. Bundles of packages that its code uses; versions without any have no row. */
export const FLOW_VERSION_BUNDLES = defineRecordTable({ space: 257, name: "flowVersionBundles", parse: parseVersionBundles });
/** Key: tenant, branch, flow, time of the end, run. */
export const ENDED_FLOW_RUNS = defineRecordTable({ space: 259, name: "endedFlowRuns", placement: "platform", parse: parseMark });
/** Key: tenant, branch, flow. Flows that were deleted and have rows yet. */
export const DELETED_FLOWS = defineRecordTable({ space: 255, name: "deletedFlows", placement: "platform", parse: parseMark });
/** Key: name of the flow. The trigger of its head. */
export const FLOW_TRIGGERS = defineRecordTable({ space: 258, name: "flowTriggers", parse: parseFlowTrigger });
/** Key: name of the flow. */
export const FLOW_TESTS = defineRecordTable({ space: 252, name: "flowTests", parse: parseFlowTests });
