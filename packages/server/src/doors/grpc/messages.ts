/** What the host knows, as messages of `plinth/v1/functions.proto`. */
import { create, fromJson, type JsonObject as ProtobufObject, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import { PlinthError } from "@plinth/core/errors.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Port } from "@plinth/core/operations/operation.ts";
import type { InvocationEvent, InvocationOutcome, InvocationRequest, LogLine, Priority } from "../../engine/invocation.ts";
import type { DynamicSchema } from "../../operations/operations.ts";
import {
  ExecuteEventSchema,
  FailureSchema,
  InvocationSchema,
  LogLineSchema,
  PortSchema,
  Priority as PriorityNumber,
  UsageSchema,
  type ExecuteEvent,
  type Failure,
  type Invocation,
} from "../../protobuf/_generated/plinth/v1/functions_pb.js";
import type { ViewOptions } from "../native/outcome-json.ts";

const PRIORITIES: Readonly<Record<number, Priority>> = {
  [PriorityNumber.INTERACTIVE]: "interactive",
  [PriorityNumber.NORMAL]: "normal",
  [PriorityNumber.BACKGROUND]: "background",
};

export function priorityOf(number: PriorityNumber): InvocationRequest["priority"] {
  return PRIORITIES[number] ?? "normal";
}

/** The library's type of the same JSON has arrays that may be changed; it changes none. */
export function asStruct(value: object): ProtobufObject {
  return value as ProtobufObject;
}

export function portsOf(ports: DynamicSchema["inputs"]) {
  return ports.map(({ name, fields }: Port) => create(PortSchema, { name, fields: fields.map(asStruct) }));
}

/** A value as the host has it, JSON text: parsed where that is cheap, as it is where it holds too much. */
export function valueFields(valueText: string): { readonly value: Value } | { readonly valueJson: string } {
  try {
    scanJsonText(valueText, { depthMax: limit("jsonDepthMax") });
  } catch (error) {
    if (error instanceof PlinthError) return { valueJson: valueText };
    throw error;
  }
  return { value: asValue(JSON.parse(valueText)) };
}

export function invocationOf(outcome: InvocationOutcome, view: ViewOptions): Invocation {
  const { usage } = outcome;
  return create(InvocationSchema, {
    id: outcome.id,
    traceId: outcome.traceId,
    function: outcome.functionPath,
    version: outcome.version,
    exitCode: outcome.status === "failed" ? outcome.error.spec.exitCode : 0,
    ...(outcome.status === "failed" ? { failure: failureOf(outcome.error, outcome.stack, view) } : {}),
    logs: view.redact ? [] : outcome.logs.map(logOf),
    logsDropped: outcome.logsDropped,
    usage: create(UsageSchema, {
      queueMs: usage.queueMs,
      executionMs: usage.executionMs,
      userMs: usage.userMs,
      memoryBytes: whole(usage.memoryBytes),
      attempts: usage.attempts,
      coldStart: usage.coldStart,
      egressBytes: whole(usage.egressBytes),
      costNanos: whole(usage.costNanos),
    }),
  });
}

/** Undefined for what this caller may not see. */
export function eventOf(event: InvocationEvent, view: ViewOptions): ExecuteEvent | undefined {
  switch (event.type) {
    case "state":
      return create(ExecuteEventSchema, { event: { case: "state", value: { state: event.state, reason: event.reason ?? "" } } });
    case "log":
      return view.redact ? undefined : create(ExecuteEventSchema, { event: { case: "log", value: logOf(event.line) } });
    case "partial":
      return create(ExecuteEventSchema, { event: { case: "partial", value: valueFields(event.valueText) } });
    case "done":
      return create(ExecuteEventSchema, {
        event: {
          case: "result",
          value: {
            ...(event.outcome.status === "succeeded" ? valueFields(event.outcome.valueText) : {}),
            invocation: invocationOf(event.outcome, view),
          },
        },
      });
  }
}

function failureOf(error: PlinthError, stack: string | undefined, { redact }: ViewOptions): Failure {
  const hidden = redact && error.spec.fault === "function";
  return create(FailureSchema, {
    code: error.code,
    message: hidden ? "The function failed; its message is in the log of this invocation." : error.message,
    next: error.next,
    fault: error.spec.fault,
    retry: error.spec.retry,
    stack: hidden ? "" : (stack ?? ""),
    ...(error.dataText === undefined ? {} : { data: asValue(JSON.parse(error.dataText)) }),
  });
}

function logOf({ level, text, atMs }: LogLine) {
  return create(LogLineSchema, { level, text, atMs: whole(atMs) });
}

function whole(value: number): bigint {
  return BigInt(Math.round(value));
}

/** JSON as a message. */
export function asValue(json: unknown): Value {
  return fromJson(ValueSchema, json as JsonValue);
}
