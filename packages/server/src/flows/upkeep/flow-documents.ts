/**
 * A flow as one document, for another branch or host, and for support. A document is checked whole before anything changes: its form,
 * its definition against the branch, and its tests as far as they need no host.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { checkFlow } from "@plinth/core/flow/check-definition.ts";
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import { dryReport } from "@plinth/core/flow/dry-report.ts";
import { DryRun } from "@plinth/core/flow/dry-run.ts";
import { foldVersions, versionsOf } from "@plinth/core/flow/fold.ts";
import type { StepNote } from "@plinth/core/flow/notes.ts";
import { parseFlowTest } from "@plinth/core/flow/tests/parse-flow-test.ts";
import { dryRunOf, mismatches, mockProblems } from "@plinth/core/flow/tests/run-flow-test.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_LEDGER, FLOW_TESTS } from "../../database/record-tables.ts";
import { versionNamed } from "../version-names.ts";
import { programsOf, readEvents } from "./compare-versions.ts";
import { goThrough } from "./dry-runs.ts";
import { summaryOfRow } from "./run-summary.ts";
import type { ExportRequest, FlowDocument, Imported, ImportRequest, RecordedRun } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

const KIND = "plinth-flow";

export async function exportFlow(parts: UpkeepParts, scope: Scope, request: ExportRequest): Promise<FlowDocument> {
  const { database, definitions } = parts;
  const { flow: name, runs } = request;
  const version = await versionNamed(database, scope, { flow: name, name: request.version ?? "head" });
  const definition = await definitions.definition(scope, name, version);
  const { note, tests } = await database.read(scope, async ({ records }) => {
    const ledger = await records.range(FLOW_LEDGER, { prefix: [name], order: "desc", limit: limit("flowVersionsSoughtMax") });
    const entry = ledger.find(({ value }) => value.version === version);
    return { note: entry?.value.note ?? null, tests: (await records.get(FLOW_TESTS, [name]))?.tests ?? null };
  });
  const histories: RecordedRun[] = [];
  let left = limit("flowCompareBytesMax");
  for (const id of runs) {
    const { bytes, ...history } = await historyOfRun(parts, scope, { flow: name, id, bytesMax: left });
    left -= bytes;
    histories.push(history);
  }
  return { kind: KIND, format: 1, name, version, note, definition, tests, runs: histories };
}

async function historyOfRun(
  parts: UpkeepParts,
  scope: Scope,
  { flow, id, bytesMax }: { readonly flow: string; readonly id: string; readonly bytesMax: number },
): Promise<RecordedRun & { readonly bytes: number }> {
  const { stored } = await parts.runs.read(scope, id);
  if (stored.row.flow !== flow) throw plinthError("NotFound", { what: `run '${id.slice(0, 64)}' of the flow '${flow}'` });
  const { events, bytes, isCut } = await readEvents(parts, scope, { id, bytesMax });
  const programs = await programsOf(parts, scope, flow, versionsOf(events));
  const steps: StepNote[] = [];
  foldVersions((version) => programs.get(version) ?? missing(version), events, { onNote: (step) => steps.push(step) });
  // Steps say the values of events once more.
  return { run: summaryOfRow(stored.row), events, steps, isCut, bytes: 2 * bytes };
}

function missing(version: string): never {
  throw plinthError("NotFound", { what: `version '${version.slice(0, 12)}' of the flow` });
}

export async function importFlow(parts: UpkeepParts, scope: Scope, { document, note, isDry }: ImportRequest): Promise<Imported> {
  const read = readDocument(document);
  if (!read.ok) return read;
  const { name, definition, tests } = read;
  const { findings } = await parts.definitions.check(scope, definition, { isPublished: true });
  const all = [...findings, ...(await testFindings(parts, definition, tests))];
  if (all.some(({ severity }) => severity === "error")) return { ok: false, findings: all };
  if (isDry) return { ok: true, name, version: null, findings: all };
  const published = await parts.definitions.publish(scope, { definition, note: note ?? read.note });
  if (!published.ok) return published;
  if (tests !== null) await putTests(parts, scope, name, tests);
  return { ok: true, name, version: published.version, findings: all };
}

type ReadDocument =
  | {
      readonly ok: true;
      readonly name: string;
      readonly note: string | null;
      readonly definition: JsonObject;
      readonly tests: JsonObject | null;
    }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] };

function readDocument(document: JsonObject): ReadDocument {
  const { kind, format, name, version, note, definition = null, tests = null } = document;
  if (kind !== KIND || format !== 1)
    return refused(
      "kind",
      'The document is no exported flow of a format that this host reads; it has `"kind": "plinth-flow"` and `"format": 1`.',
    );
  if (!isRecord(definition)) return refused("definition", "The document has no `definition`.");
  if (typeof name !== "string" || definition["name"] !== name) return refused("name", "The document and its definition have two names.");
  const digest = createHash("sha256").update(JSON.stringify(definition)).digest("hex");
  if (version !== digest)
    return refused(
      "version",
      "The definition is another than the one that was exported; publish it with `plinth flow publish` if the change is meant.",
    );
  if (tests !== null && !isRecord(tests)) return refused("tests", "`tests` is no object.");
  return { ok: true, name, note: typeof note === "string" ? note.slice(0, limit("flowReasonCharsMax")) : null, definition, tests };
}

function refused(path: string, message: string): ReadDocument & { readonly ok: false } {
  return { ok: false, findings: [{ path, node: null, message, severity: "error" }] };
}

/** Of tests that go with a definition; what needs a host, and what takes too long together, is a warning. */
async function testFindings(
  { runtime }: Pick<UpkeepParts, "runtime">,
  definition: JsonObject,
  tests: JsonObject | null,
): Promise<readonly FlowFinding[]> {
  if (tests === null) return [];
  const parsed = parseFlowTest(tests);
  if (!parsed.ok) return parsed.findings.map(({ path, message }) => ({ path: `tests.${path}`, node: null, message, severity: "error" }));
  const checked = checkFlow(definition, null);
  if (!checked.ok) return [];
  const { program } = checked;
  const found: FlowFinding[] = [];
  const endMs = runtime.nowMs() + limit("flowDryRunMs");
  for (const [index, test] of parsed.file.cases.entries()) {
    const path = `tests.cases[${index}]`;
    if (test.isSkipped) continue;
    if (runtime.nowMs() > endMs) return [...found, warning(path, null, "This test and those behind it were not run, for time.")];
    const run = new DryRun(program, dryRunOf(parsed.file, test, program.definition.name));
    await goThrough(run, runtime, null);
    const report = dryReport(run.result());
    if (report.unanswered?.isReal === true) {
      found.push(warning(path, report.unanswered.node, `The test "${test.name}" needs a host and was not run.`));
      continue;
    }
    for (const { path: at, message } of [...mockProblems(program, test), ...mismatches(test.expect, report)])
      found.push({ path, node: null, message: `The test "${test.name}" fails at ${at}: ${message}`, severity: "error" });
    if (found.length >= limit("flowFindingsMax")) return found;
  }
  return found;
}

function warning(path: string, node: string | null, message: string): FlowFinding {
  return { path, node, message, severity: "warning" };
}

export async function testsOf({ database, definitions }: UpkeepParts, scope: Scope, flow: string): Promise<JsonObject | null> {
  await definitions.head(scope, flow);
  return (await database.read(scope, ({ records }) => records.get(FLOW_TESTS, [flow])))?.tests ?? null;
}

/** Kept with the flow, so that they are exported with it. Empty when they were written; they need not pass. */
export async function setTests(
  parts: UpkeepParts,
  scope: Scope,
  { flow, tests }: { readonly flow: string; readonly tests: JsonObject },
): Promise<readonly FlowFinding[]> {
  await parts.definitions.head(scope, flow);
  const parsed = parseFlowTest(tests);
  if (!parsed.ok) return parsed.findings.map(({ path, message }) => ({ path, node: null, message, severity: "error" }));
  await putTests(parts, scope, flow, tests);
  return [];
}

async function putTests({ database }: UpkeepParts, scope: Scope, flow: string, tests: JsonObject): Promise<void> {
  const max = limit("flowDefinitionBytesMax");
  const actual = Buffer.byteLength(JSON.stringify(tests));
  if (actual > max) throw plinthError("RequestTooLarge", { what: "tests", actual: `${actual} bytes`, max: `${max} bytes` });
  await database.update(scope, async ({ records }) => records.put(FLOW_TESTS, [flow], { tests }));
}
