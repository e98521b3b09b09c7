/** Reads mocks, which people write and which come from outside, as JSON. */
import { limit } from "../../limits.ts";
import { isObject, kindOf, ObjectReader } from "../../manifest/object-reader.ts";
import { childPath, isReservedKey } from "../../manifest/paths.ts";
import { Report } from "../../manifest/report.ts";
import type { Json } from "../../operations/operation.ts";
import { DURATION_FORM, durationMs } from "../durations.ts";
import type { StepError } from "../events.ts";
import type { DryInput, MockAnswer, Mocks } from "../mocks.ts";

const FORM = 'write `{"output": …}`, `{"error": {"code": …, "message": …}}`, `"late"`, `"run"`, or a list of such answers';

/** `{node: answer | [answer, …]}` */
export function parseMocks(reader: ObjectReader, key: string): Mocks {
  const json = reader.raw(key);
  const mocks: Record<string, readonly MockAnswer[]> = {};
  if (json === undefined) return mocks;
  if (!isObject(json)) {
    reader.error(key, `is ${kindOf(json)}; write an object of answers by node.`);
    return mocks;
  }
  const names = Object.keys(json);
  if (names.length > limit("flowNodesMax")) {
    reader.error(key, `has ${names.length} entries and may have ${limit("flowNodesMax")}; remove some.`);
    return mocks;
  }
  for (const name of names) {
    const path = childPath(reader.at(key), name);
    if (isReservedKey(name)) reader.report.error(path, `${path} has a name that cannot be used; write the id of a node.`);
    else mocks[name] = answersOf(json[name], path, reader.report);
  }
  return mocks;
}

function answersOf(json: unknown, path: string, report: Report): readonly MockAnswer[] {
  if (!Array.isArray(json)) return [answerOf(json, path, report)];
  const max = limit("flowMockAnswersMax");
  if (json.length === 0) report.error(path, `${path} is an empty list; ${FORM}.`);
  if (json.length > max)
    report.error(path, `${path} has ${json.length} answers and may have ${max}; the last one answers all that follow.`);
  return json.slice(0, max).map((item: unknown, index) => answerOf(item, `${path}[${index}]`, report));
}

const LATE: MockAnswer = { kind: "late" };

function answerOf(json: unknown, path: string, report: Report): MockAnswer {
  if (json === "late") return LATE;
  if (json === "run") return { kind: "real" };
  if (!isObject(json)) {
    report.error(path, `${path} is ${typeof json === "string" ? `the text \`${json.slice(0, 60)}\`` : kindOf(json)}; ${FORM}.`);
    return LATE;
  }
  const reader = new ObjectReader(json, path, report);
  const error = reader.object("error", readError);
  const output = valueOf(reader, "output");
  const afterMs = duration(reader, "after");
  reader.end();
  const both = Object.hasOwn(json, "output") && Object.hasOwn(json, "error");
  if (both || (output === undefined && error === null && !reader.has("error"))) {
    report.error(path, `${path} has ${both ? "an `output` and an `error`" : "neither `output` nor `error`"}; ${FORM}.`);
    return LATE;
  }
  const time = afterMs === null ? {} : { afterMs };
  return error === null ? { kind: "output", output: { json: output ?? null }, ...time } : { kind: "error", error, ...time };
}

function readError(reader: ObjectReader): StepError {
  return {
    code: reader.text("code", { required: true, instead: "write the code of the error, such as `timeout`" }),
    message: reader.text("message", { fallback: "a mock says so." }),
    retryable: reader.boolean("retryable", false),
  };
}

/** Null counts where it is written; undefined when absent. */
export function valueOf(reader: ObjectReader, key: string): Json | undefined {
  const json = reader.json(key);
  if (json !== undefined) return json as Json;
  return reader.isNull(key) ? null : undefined;
}

export function duration(reader: ObjectReader, key: string): number | null {
  const json = reader.json(key);
  if (json === undefined) return null;
  const ms = durationMs(json as Json);
  if (ms === null) reader.error(key, `is no duration; write ${DURATION_FORM}.`);
  return ms;
}

/** `[{after, signal: name, payload} | {after, do: "pause" | "resume" | "cancel"}]` */
export function parseInputs(reader: ObjectReader, key: string): readonly DryInput[] {
  return reader.objects(key, "flowMockAnswersMax", readInput);
}

const INPUT_FORM = 'says nothing; write `{"after": "1h", "signal": "<name>"}` or `{"after": "1h", "do": "cancel"}`.';
const ACTS = ["pause", "resume", "cancel"] as const;

function readInput(reader: ObjectReader): DryInput {
  const afterMs = duration(reader, "after") ?? 0;
  if (!reader.has("signal") && !reader.has("do")) reader.report.error(reader.path, `${reader.path} ${INPUT_FORM}`);
  if (reader.has("signal"))
    return { kind: "signal", afterMs, name: reader.text("signal"), payload: { json: valueOf(reader, "payload") ?? null } };
  return { kind: reader.choice("do", ACTS, "cancel"), afterMs };
}
