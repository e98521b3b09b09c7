/** Reads a file of tests. What is wrong becomes a finding with its path; keys that nobody knows are errors, since they would test nothing. */
import { limit } from "../../limits.ts";
import { kindOf, isObject, type ObjectReader, readObject } from "../../manifest/object-reader.ts";
import type { ManifestFinding } from "../../manifest/manifest.ts";
import { Report } from "../../manifest/report.ts";
import type { Json, JsonObject } from "../../operations/operation.ts";
import { momentMs } from "../durations.ts";
import type { Expectation, ExpectedCall, FlowTestCase, FlowTestFile } from "./flow-test.ts";
import { duration, parseInputs, parseMocks, valueOf } from "./parse-mocks.ts";

export type ParsedFlowTest =
  | { readonly ok: true; readonly file: FlowTestFile }
  | { readonly ok: false; readonly findings: readonly Pick<ManifestFinding, "path" | "message">[] };

/** 2026-01-01T00:00:00Z, so that tests give the same every day. */
const START_MS = 1_767_225_600_000;

export function parseFlowTest(json: unknown): ParsedFlowTest {
  const report = new Report(null);
  let file: FlowTestFile | null = null;
  if (isObject(json)) file = readObject(json, "", report, readFile);
  else report.error("", `the file holds ${kindOf(json)}; write an object with \`format\` and \`cases\`.`);
  const { findings } = report;
  return file === null || findings.length > 0 ? { ok: false, findings: findings.map(plain) } : { ok: true, file };
}

/** Mocks and inputs of a dry run, without expectations. */
export function parseDryRun(
  json: unknown,
):
  | { readonly ok: true; readonly request: Pick<FlowTestCase, "input" | "atMs" | "mocks" | "inputs"> }
  | { readonly ok: false; readonly findings: readonly Pick<ManifestFinding, "path" | "message">[] } {
  const report = new Report(null);
  const request = readObject(json, "", report, readRequest);
  const { findings } = report;
  return request === null || findings.length > 0 ? { ok: false, findings: findings.map(plain) } : { ok: true, request };
}

function plain({ path, message }: ManifestFinding): Pick<ManifestFinding, "path" | "message"> {
  return {
    path,
    message: message
      .replace("no key of a manifest; it is ignored.", "no key that is known here.")
      .replace("it is ignored.", "it would have no effect."),
  };
}

function readFile(reader: ObjectReader): FlowTestFile {
  if (reader.raw("format") !== 1) reader.error("format", "is not 1, the only format of tests.");
  reader.raw("$schema");
  if (reader.isEmpty("cases")) reader.error("cases", "has no case; write a list of objects with `name`, `mocks` and `expect`.");
  const file = {
    flow: reader.optionalText("flow"),
    mocks: parseMocks(reader, "mocks"),
    cases: reader.objects("cases", "flowTestCasesMax", readCase),
  };
  const names = file.cases.map(({ name }) => name);
  const twice = names.find((name, i) => name !== "" && names.indexOf(name) < i);
  if (twice !== undefined) reader.error("cases", `has two cases with the name \`${twice}\`; write another name.`);
  return file;
}

function readRequest(reader: ObjectReader): Pick<FlowTestCase, "input" | "atMs" | "mocks" | "inputs"> {
  return {
    input: valueOf(reader, "input") ?? {},
    atMs: readMoment(reader),
    mocks: parseMocks(reader, "mocks"),
    inputs: parseInputs(reader, "events"),
  };
}

function readCase(reader: ObjectReader): FlowTestCase {
  const name = reader.label("name", { required: true, instead: "write what the case shows" });
  const isSkipped = reader.boolean("skip", false);
  const request = readRequest(reader);
  if (!reader.has("expect") && !isSkipped)
    reader.error("expect", 'is missing; write what the run comes to, such as `{"status": "completed"}`.');
  return { name, isSkipped, ...request, expect: reader.object("expect", readExpectation) ?? NOTHING_EXPECTED };
}

function readMoment(reader: ObjectReader): number {
  const json = reader.json("now");
  if (json === undefined) return START_MS;
  const ms = momentMs(json as Json);
  if (ms === null) reader.error("now", "is no moment; write a text such as `2026-01-31T09:00:00Z`.");
  return ms ?? START_MS;
}

const NOTHING_EXPECTED: Expectation = {
  status: null,
  output: null,
  outputHas: null,
  error: null,
  path: null,
  calls: null,
  notCalled: [],
  undone: null,
  variables: {},
  reply: null,
  elapsedMs: null,
};

const STATUSES = ["completed", "failed", "cancelled", "unanswered", "endless"] as const;

function readExpectation(reader: ObjectReader): Expectation {
  return {
    status: reader.has("status") ? reader.choice("status", STATUSES, null) : null,
    output: optionalValue(reader, "output"),
    outputHas: optionalValue(reader, "outputHas"),
    error: reader.object("error", (inner) => ({
      code: inner.optionalText("code"),
      node: inner.optionalText("node"),
      message: inner.optionalText("message"),
    })),
    path: optionalTexts(reader, "path"),
    calls: reader.has("calls") ? reader.objects("calls", "flowDryRunPathMax", readCall) : null,
    notCalled: reader.texts("notCalled", "flowNodesMax"),
    undone: optionalTexts(reader, "undone"),
    variables: reader.jsonObject("variables") as JsonObject,
    reply: optionalValue(reader, "reply"),
    elapsedMs: duration(reader, "elapsed"),
  };
}

function readCall(reader: ObjectReader): ExpectedCall {
  return {
    node: reader.text("node", { required: true, instead: "write the id of the node that makes the call" }),
    target: reader.optionalText("target"),
    input: optionalValue(reader, "input"),
    inputHas: optionalValue(reader, "inputHas"),
    attempts: reader.number("attempts", { min: 1, max: limit("flowAttemptsMax") }),
  };
}

function optionalValue(reader: ObjectReader, key: string): { readonly json: Json } | null {
  const json = valueOf(reader, key);
  return json === undefined ? null : { json };
}

function optionalTexts(reader: ObjectReader, key: string): readonly string[] | null {
  return reader.has(key) ? reader.texts(key, "flowDryRunPathMax") : null;
}
