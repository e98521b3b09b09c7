/** Schemas that several routes answer with. Where code has a union, the compiler sees that all of its members are here. */
import { ERRORS, type Fault, type Retry } from "@plinth/core/errors.ts";
import type { FunctionKind, LogLevel, RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { InvocationSource, InvocationState, InvocationUsage, KeyScope, Priority, WaitReason } from "../../engine/invocation.ts";
import { MODALITIES } from "../../modalities/table.ts";
import {
  always,
  anything,
  choice,
  closed,
  flag,
  list,
  moment,
  named,
  number,
  oneOf,
  text,
  whole,
  type Properties,
  type Schema,
} from "./schema.ts";

const UNIONS = {
  faults: { caller: 0, function: 0, platform: 0 } satisfies Record<Fault, 0>,
  retries: { never: 0, later: 0, automatic: 0 } satisfies Record<Retry, 0>,
  kinds: { query: 0, mutation: 0, action: 0, httpAction: 0, handler: 0, inline: 0 } satisfies Record<FunctionKind, 0>,
  levels: { debug: 0, log: 0, info: 0, warn: 0, error: 0 } satisfies Record<LogLevel, 0>,
  runtimes: { isolate: 0, node: 0, python: 0, wasm: 0 } satisfies Record<RuntimeName, 0>,
  states: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 } satisfies Record<InvocationState, 0>,
  priorities: { interactive: 0, normal: 0, background: 0 } satisfies Record<Priority, 0>,
  keyScopes: { admin: 0, deploy: 0, invoke: 0, read: 0 } satisfies Record<KeyScope, 0>,
  sources: {
    convex: 0,
    native: 0,
    httpAction: 0,
    schedule: 0,
    cron: 0,
    function: 0,
    hook: 0,
    grpc: 0,
    mcp: 0,
    snapIn: 0,
    ...MODALITIES,
  } satisfies Record<InvocationSource, unknown>,
  waitReasons: {
    tenantQueries: 0,
    tenantMutations: 0,
    tenantActions: 0,
    hostCapacity: 0,
    noRunner: 0,
    conflictBackoff: 0,
    retryBackoff: 0,
    scheduled: 0,
    draining: 0,
  } satisfies Record<WaitReason, 0>,
} as const;

function oneOfUnion(union: keyof typeof UNIONS, description?: string): Schema {
  return choice(Object.keys(UNIONS[union]), description);
}

const ERROR_CODE = named("ErrorCode", choice(Object.keys(ERRORS), "Stays the same through all doors."));
const MESSAGE = text("What happened, for people.");

export const ERROR = named(
  "Error",
  closed({ code: ERROR_CODE, message: MESSAGE, next: text("What to do next.") }, "A request that was refused."),
);

export const FUNCTION_KIND = named("FunctionKind", oneOfUnion("kinds"));
export const RUNTIME = named("Runtime", oneOfUnion("runtimes"));
export const KEY_SCOPE = named("KeyScope", oneOfUnion("keyScopes", "What a key may do; `admin` includes all."));
export const PRIORITY = oneOfUnion("priorities", "Which calls go first when places are short; `normal` when absent.");
export const VISIBILITY = choice(["public", "internal"]);

export const USAGE = named(
  "Usage",
  closed({
    queueMs: number(),
    executionMs: number(),
    userMs: number("CPU time of the code itself."),
    memoryBytes: number(),
    attempts: whole(),
    conflicts: whole(),
    coldStart: flag(),
    cached: flag("The result of an earlier call of the same query."),
    databaseReadBytes: whole(),
    databaseWriteBytes: whole(),
    documentsRead: whole(),
    documentsWritten: whole(),
    egressBytes: whole("Bytes of requests to other systems and of their answers."),
    costNanos: number("What it costs by the host's prices, in billionths of the currency's unit."),
  } satisfies Record<keyof InvocationUsage, Schema>),
);

export const LOG_LEVEL = oneOfUnion("levels");
export const LOG_LINE = named("LogLine", closed({ level: LOG_LEVEL, text: text(), atMs: moment() }));

export const FAILURE = named(
  "Failure",
  closed(
    {
      code: ERROR_CODE,
      message: MESSAGE,
      next: text("What to do next."),
      exitCode: whole(),
      fault: oneOfUnion("faults", "Who has to change something."),
      retry: oneOfUnion("retries", "Whether the same call can succeed."),
      "stack?": text("Frames in the author's sources."),
      "data?": anything("What the code threw with the error."),
    },
    "Why a call failed.",
  ),
);

const OUTCOME_HEAD: Properties = {
  id: text("Id of the invocation."),
  traceId: text("32 hexadecimal digits."),
  function: text("Path of what ran."),
  version: text("Digest of the version that ran."),
  logs: list(LOG_LINE),
  logsDropped: whole("Lines that were too many."),
  usage: USAGE,
};

/** How a call ended, with what `more` says of it. */
export function outcome(name: string, { succeeded, both = {} }: { readonly succeeded: Properties; readonly both?: Properties }): Schema {
  return named(name, {
    description: "How the call ended. A failure of the code is a result.",
    ...oneOf(
      closed({ ...OUTCOME_HEAD, status: always("succeeded"), ...both, ...succeeded }),
      closed({ ...OUTCOME_HEAD, status: always("failed"), ...both, error: FAILURE }),
    ),
  });
}

export const OUTCOME = outcome("InvocationOutcome", { succeeded: { value: anything("What the code returned.") } });

export const ARTEFACT = named(
  "Artefact",
  closed({ name: text(), contentType: text(), digest: text("sha-256 in hexadecimal."), bytes: whole() }, "A file that a function left."),
);

const STATE = oneOfUnion("states");
const WAIT_REASON = oneOfUnion("waitReasons", "Why it waits.");

export const RECORD = named(
  "InvocationRecord",
  closed({
    id: text(),
    tenant: text(),
    branch: text(),
    function: text(),
    functionPath: text("As `function`."),
    kind: FUNCTION_KIND,
    version: text(),
    source: oneOfUnion("sources", "What started it."),
    "traceId?": text(),
    status: STATE,
    state: { ...STATE, description: "As `status`." },
    "waitReason?": WAIT_REASON,
    createdMs: moment(),
    "startedMs?": moment(),
    "finishedMs?": moment(),
    "value?": anything("What the code returned; absent until then."),
    "valueBlob?": text("Digest of a value that was large."),
    "artefacts?": list(ARTEFACT),
    "error?": closed({ code: ERROR_CODE, message: MESSAGE, "next?": text("What to do next."), "stack?": text(), "data?": anything() }),
    logs: list(LOG_LINE),
    logsDropped: whole(),
    "usage?": USAGE,
    fencingToken: whole("Grows with each process that takes the call over."),
  }),
);

/** Events of calls while they run; `done` is the last. */
export function invocationEvents(done: Schema): Readonly<Record<string, Schema>> {
  return {
    state: closed({ state: STATE, "reason?": WAIT_REASON }),
    log: LOG_LINE,
    partial: closed({ value: anything("A part of the result, before its end.") }),
    done,
    error: ERROR,
  };
}

/** Events of work that says what it does. */
export function progressEvents(done: Schema): Readonly<Record<string, Schema>> {
  return { progress: closed({ text: text() }), done, error: ERROR };
}

export const LOCATION = text("Where the record of the call is.");

/** The answer to a call that is run later, with what `more` says of it. */
export function queued(name: string, more: Properties = {}): Schema {
  return named(name, closed({ id: text("Id of the invocation."), status: always("queued"), ...more, location: LOCATION }));
}
