/** Reads a flow's document, which is hostile JSON. What is wrong becomes a finding; names and pointers are checked later. */
import { limit } from "../limits.ts";
import { isObject, kindOf, ObjectReader, readObject } from "../manifest/object-reader.ts";
import { didYouMean } from "../manifest/near-miss.ts";
import { isReservedKey } from "../manifest/paths.ts";
import type { Report } from "../manifest/report.ts";
import type { Json, JsonObject } from "../operations/operation.ts";
import {
  DEFAULT_RETRY,
  type FlowDefinition,
  type FlowNode,
  type FlowTrigger,
  type FlowVariable,
  type KeepRuns,
  type NodeId,
  type RetryPolicy,
  type TriggerType,
  type ValueType,
} from "./definition.ts";
import { readLock } from "./dependencies.ts";
import { DURATION_FORM, durationMs } from "./durations.ts";
import { nodeType, nodeTypeNames } from "./nodes/table.ts";

const FLOW_NAME = /^[a-z][a-z0-9_-]{0,63}$/;
const NODE_ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const TRIGGERS: readonly TriggerType[] = [
  "object",
  "timer",
  "api",
  "webhook",
  "command",
  "agentSkill",
  "sync",
  "manual",
  "subflow",
  "event",
];
const SIMPLE_TYPES = ["string", "number", "boolean", "timestamp", "null", "any"] as const;

/** Null when it is no flow at all. */
export function parseDefinition(json: unknown, report: Report): FlowDefinition | null {
  if (isObject(json)) return readObject(json, "", report, readFlow);
  report.error("", `the flow is ${kindOf(json)}; write an object with \`nodes\` and the rest.`);
  return null;
}

function readFlow(reader: ObjectReader): FlowDefinition {
  if (reader.raw("format") !== 1) reader.error("format", "is not 1, the only format of flows.");
  return {
    format: 1,
    name: reader.text("name", { required: true, pattern: FLOW_NAME, instead: "write a name of small letters, digits, `_` and `-`" }),
    description: reader.text("description"),
    trigger: readTrigger(reader),
    variables: readVariables(reader),
    start: reader.text("start", { required: true, instead: "write the id of the first node" }),
    nodes: readNodes(reader),
    onError: reader.optionalText("onError"),
    timeoutMs: reader.number("timeoutMs", { min: 1000, max: limit("flowRunMsMax") }),
    keep: reader.object("keep", readKeep),
    lock: readLock(reader),
  };
}

function readKeep(reader: ObjectReader): KeepRuns {
  const written = (reader.json("for") ?? null) as Json;
  const forMs = written === null ? null : durationMs(written);
  const [min, max] = [limit("flowRunsKeptMsMin"), limit("flowRunsKeptMsMax")];
  if (written !== null && (forMs === null || forMs < min || forMs > max))
    reader.error("for", `is no time from ${min / 3_600_000} h to ${max / 86_400_000} d; write ${DURATION_FORM}.`);
  return { forMs, runs: reader.number("runs", { min: 1, max: limit("flowRunsKeptMax") }) };
}

function readTrigger(reader: ObjectReader): FlowTrigger {
  const trigger = reader.object("trigger", (inner): FlowTrigger => {
    const name = inner.text("type", { required: true, instead: `write one of ${TRIGGERS.join(", ")}` });
    const type = TRIGGERS.find((known) => known === name);
    if (type === undefined && name !== "")
      inner.error("type", `is \`${name}\`, which is no trigger.${didYouMean(name, TRIGGERS) || ` Write one of ${TRIGGERS.join(", ")}.`}`);
    return {
      type: type ?? "manual",
      filter: inner.optionalText("filter"),
      data: jsonObject(inner, "data"),
      output: readType(inner, "output"),
    };
  });
  if (!reader.has("trigger")) reader.error("trigger", 'is missing; write what starts the flow, such as `{"type": "manual"}`.');
  return trigger ?? { type: "manual", filter: null, data: {}, output: "any" };
}

function readVariables(reader: ObjectReader): Readonly<Record<string, FlowVariable>> {
  return readMap(reader, { key: "variables", countMax: limit("flowVariablesMax"), form: VARIABLE }, (inner) => ({
    type: readType(inner, "type"),
    initial: (inner.json("initial") ?? null) as Json,
  }));
}

function readNodes(reader: ObjectReader): Readonly<Record<NodeId, FlowNode>> {
  return readMap(reader, { key: "nodes", countMax: limit("flowNodesMax"), form: NODE_ID }, readNode);
}

function readNode(reader: ObjectReader): FlowNode {
  const written = reader.text("type", { required: true, instead: "write the type of the node" });
  const type = nodeType(written);
  if (type === undefined && written !== "")
    reader.error(
      "type",
      `is \`${written}\`, which is no type of node.${didYouMean(written, nodeTypeNames()) || ` Write one of ${nodeTypeNames().join(", ")}.`}`,
    );
  const canRetry = type === undefined || type.category === "call";
  const compensate = reader.object("compensate", readCompensation);
  const retry = reader.object("retry", readRetry);
  if (!canRetry && retry !== null) reader.error("retry", `has no effect on a \`${written}\` node, which makes no call; remove it.`);
  if (!canRetry && compensate !== null)
    reader.error("compensate", `has no effect on a \`${written}\` node, which makes no call; remove it.`);
  return {
    type: type?.type ?? written,
    label: reader.label("label"),
    data: jsonObject(reader, "data"),
    next: reader.optionalText("next", { instead: "write the id of a node" }),
    onError: reader.optionalText("onError", { instead: "write the id of a node" }),
    retry,
    timeoutMs: reader.number("timeoutMs", { min: 1, max: limit("flowStepMsMax") }),
    compensate,
  };
}

function readCompensation(reader: ObjectReader): { readonly type: string; readonly data: JsonObject } {
  const written = reader.text("type", { required: true, instead: "write the type of a node that makes a call" });
  const type = nodeType(written);
  if (written !== "" && type?.category !== "call")
    reader.error("type", `is \`${written}\`, which makes no call; use an action, invoke, webhook or script.`);
  return { type: type?.type ?? written, data: jsonObject(reader, "data") };
}

function readRetry(reader: ObjectReader): RetryPolicy {
  const delayMsMax = limit("flowRetryDelayMsMax");
  return {
    attempts: reader.number("attempts", { min: 1, max: limit("flowAttemptsMax") }) ?? DEFAULT_RETRY.attempts,
    on: reader.choice("on", ["retryable", "any"], DEFAULT_RETRY.on),
    delayMs: reader.number("delayMs", { min: 0, max: delayMsMax }) ?? DEFAULT_RETRY.delayMs,
    delayMsMax: reader.number("delayMsMax", { min: 0, max: delayMsMax }) ?? DEFAULT_RETRY.delayMsMax,
    factor: reader.number("factor", { min: 1, max: 10, integer: false }) ?? DEFAULT_RETRY.factor,
  };
}

interface MapForm {
  readonly key: string;
  readonly countMax: number;
  /** Of names. */
  readonly form: RegExp;
}

/** An object of objects by name. */
function readMap<T>(reader: ObjectReader, { key, countMax, form }: MapForm, read: (inner: ObjectReader) => T): Readonly<Record<string, T>> {
  const json = reader.raw(key);
  const map: Record<string, T> = {};
  if (json === undefined) return map;
  if (!isObject(json)) {
    reader.error(key, "is no object; write an object of objects by name.");
    return map;
  }
  const names = Object.keys(json);
  if (names.length > countMax)
    reader.error(key, `has ${names.length} entries and may have ${countMax}; move some into a flow of their own.`);
  const entries = new ObjectReader(json, reader.at(key), reader.report);
  for (const name of names.slice(0, countMax)) {
    if (!form.test(name) || isReservedKey(name)) {
      entries.error(name, "has a name that cannot be used; write letters, digits and `_`, beginning with a letter.");
      continue;
    }
    const value = entries.object(name, read);
    if (value !== null) map[name] = value;
  }
  return map;
}

function jsonObject(reader: ObjectReader, key: string): JsonObject {
  return reader.jsonObject(key) as JsonObject;
}

function readType(reader: ObjectReader, key: string): ValueType {
  const json = reader.json(key);
  if (json === undefined) return "any";
  const type = valueType(json, 0);
  if (type === null) reader.error(key, `is no type; write ${SIMPLE_TYPES.join(", ")}, {"list": …} or {"record": {…}}.`);
  return type ?? "any";
}

function valueType(json: unknown, depth: number): ValueType | null {
  if (depth > limit("flowNestingMax")) return null;
  if (typeof json === "string") return SIMPLE_TYPES.find((type) => type === json) ?? null;
  if (!isObject(json) || Object.keys(json).length !== 1) return null;
  if (Object.hasOwn(json, "list")) {
    const list = valueType(json["list"], depth + 1);
    return list === null ? null : { list };
  }
  const fields = json["record"];
  if (!isObject(fields)) return null;
  const record: Record<string, ValueType> = {};
  for (const name of Object.keys(fields)) {
    const type = valueType(fields[name], depth + 1);
    if (type === null) return null;
    record[name] = type;
  }
  return { record };
}
