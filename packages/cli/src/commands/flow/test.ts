/** `plinth flow test`: runs cases against mocks, here, or on a host where code of nodes has to be run. */
import { styleText } from "node:util";
import { checkFlow } from "@plinth/core/flow/check-definition.ts";
import type { DryReport } from "@plinth/core/flow/dry-report.ts";
import { dryReport } from "@plinth/core/flow/dry-report.ts";
import { dryRun } from "@plinth/core/flow/dry-run.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import type { FlowTestCase, FlowTestFile } from "@plinth/core/flow/tests/flow-test.ts";
import { inputsJson, mocksJson } from "@plinth/core/flow/tests/mock-json.ts";
import { parseFlowTest } from "@plinth/core/flow/tests/parse-flow-test.ts";
import { dryRunOf, type Mismatch, mismatches, mockProblems } from "@plinth/core/flow/tests/run-flow-test.ts";
import type { Command } from "commander";
import { relative } from "node:path";
import { call, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { print, printable, printJson, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { findingText, readJson } from "./flow-files.ts";
import { listOf, part, text } from "./json-parts.ts";
import { definitionFile, findTestFiles } from "./test-files.ts";

interface TestOptions {
  readonly host?: boolean;
  readonly only?: string;
}

interface CaseResult {
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly mismatches: readonly Mismatch[];
}

interface FileResult {
  readonly file: string;
  /** Why none of its cases could be run. */
  readonly problems: readonly string[];
  readonly cases: readonly CaseResult[];
}

export function addTest(group: Command): void {
  group
    .command("test")
    .description("Run *.flow.test.json: cases with mocks, in simulated time; exit code 1 when one fails")
    .argument("[path]", "folder or file", ".")
    .option("--host", "run them on the host: against what the branch has, and with code of nodes whose mock is `run`")
    .option("--only <text>", "cases whose name has this text")
    .action((path: string, options: TestOptions, command) => runTests(path, options, command.optsWithGlobals()));
}

async function runTests(path: string, options: TestOptions, globals: GlobalOptions): Promise<void> {
  const files = findTestFiles(path);
  if (files.length === 0) throw new CommandFailure(`${path} has no file that ends with .flow.test.json.`, 4);
  const connection = options.host === true ? findConnection(globals) : null;
  const results: FileResult[] = [];
  for (const file of files) {
    const result = await runFile(file, { connection, only: options.only });
    results.push(result);
    if (globals.json !== true) showFile(result);
  }
  const cases = results.flatMap((file) => file.cases);
  const count = (kind: CaseResult["result"]): number => cases.filter(({ result }) => result === kind).length;
  const [passed, failed, skipped] = [count("passed"), count("failed"), count("skipped")];
  const broken = results.filter(({ problems }) => problems.length > 0).length;
  if (globals.json === true) printJson({ passed, failed, skipped, broken, files: results.map(fileJson) });
  const unread = broken === 0 ? "" : `, ${broken} ${broken === 1 ? "file" : "files"} could not be run`;
  const summary = `${passed} passed, ${failed} failed, ${skipped} skipped${unread}`;
  if (failed + broken > 0) throw new CommandFailure(summary, broken > 0 ? 4 : 1);
  if (passed + skipped === 0 && options.only !== undefined) throw new CommandFailure(`No case has \`${options.only}\` in its name.`, 4);
  if (globals.json !== true) success(summary);
}

interface Place {
  /** Null: they are run here. */
  readonly connection: Connection | null;
  readonly only: string | undefined;
}

async function runFile(file: string, { connection, only }: Place): Promise<FileResult> {
  const shown = relative(process.cwd(), file) || file;
  const broken = (problems: readonly string[]): FileResult => ({ file: shown, problems, cases: [] });
  let definition: Json;
  let tests: FlowTestFile;
  try {
    const parsed = parseFlowTest(readJson(file));
    if (!parsed.ok) return broken(parsed.findings.map(({ message }) => message));
    tests = parsed.file;
    definition = readJson(definitionFile(file, tests.flow));
  } catch (error) {
    if (error instanceof CommandFailure) return broken([error.message]);
    throw error;
  }
  const checked = checkFlow(definition, null);
  if (!checked.ok) return broken(checked.findings.map((finding) => `the definition: ${findingText({ ...finding })}`));
  const { program } = checked;
  const shared = mockProblems(program, tests);
  if (shared.length > 0) return broken(shared.map(({ message }) => message));
  const cases: CaseResult[] = [];
  for (const test of tests.cases) {
    if (only !== undefined && !test.name.includes(only)) continue;
    cases.push(await runCase({ tests, test, program, definition, connection }));
  }
  return { file: shown, problems: [], cases };
}

interface Case {
  readonly tests: FlowTestFile;
  readonly test: FlowTestCase;
  readonly program: FlowProgram;
  readonly definition: Json;
  readonly connection: Connection | null;
}

async function runCase({ tests, test, program, definition, connection }: Case): Promise<CaseResult> {
  const { name, isSkipped, expect } = test;
  if (isSkipped) return { name, result: "skipped", mismatches: [] };
  const wrong = [...mockProblems(program, test)];
  if (wrong.length === 0) {
    const asked = dryRunOf(tests, test, program.definition.name);
    if (connection === null) wrong.push(...mismatches(expect, dryReport(dryRun(program, asked))).map(withAdvice));
    else wrong.push(...(await onHost(connection, { definition, test, mocks: mocksJson(asked.mocks) })));
  }
  return { name, result: wrong.length === 0 ? "passed" : "failed", mismatches: wrong };
}

function withAdvice(mismatch: Mismatch): Mismatch {
  return mismatch.message.includes("really, which needs a host")
    ? { ...mismatch, message: `${mismatch.message} Add --host to do that.` }
    : mismatch;
}

interface HostCase {
  readonly definition: Json;
  readonly test: FlowTestCase;
  readonly mocks: Json;
}

async function onHost(connection: Connection, { definition, test, mocks }: HostCase): Promise<readonly Mismatch[]> {
  const { input, atMs, inputs, expect } = test;
  const body = { definition, input, now: atMs, mocks, events: inputsJson(inputs) };
  const json = await call(connection, "/v1/flows/dry-run", { body });
  const report = part(json, "report");
  if (report !== undefined && report !== null) return mismatches(expect, reportOf(report));
  return listOf(json, "findings").map((finding) => ({ path: text(finding, "path"), message: text(finding, "message") }));
}

/** As the host has made it, of the same version. */
function reportOf(json: Json): DryReport {
  return json as unknown as DryReport;
}

function fileJson({ file, problems, cases }: FileResult): Json {
  return {
    file,
    problems,
    cases: cases.map(({ mismatches: found, ...one }) => ({ ...one, mismatches: found.map((each) => ({ ...each })) })),
  };
}

function showFile({ file, problems, cases }: FileResult): void {
  print(file);
  for (const problem of problems) write(`  ${styleText("red", "✗")} ${printable(problem)}`);
  for (const { name, result, mismatches: found } of cases) {
    write(`  ${MARKS[result]} ${printable(name)}`);
    for (const mismatch of found) showMismatch(mismatch);
  }
}

const MARKS = { passed: styleText("green", "✓"), failed: styleText("red", "✗"), skipped: styleText("yellow", "-") } as const;

function showMismatch({ path, message, expected, got }: Mismatch): void {
  print(`      ${path}: ${message}`);
  if (expected !== undefined) print(`        expected ${jsonText(expected)}`);
  if (got !== undefined) print(`        got      ${jsonText(got)}`);
}

const SHOWN_CHARS = 2000;

function jsonText(json: Json): string {
  const all = JSON.stringify(json);
  return all.length > SHOWN_CHARS ? `${all.slice(0, SHOWN_CHARS)}…` : all;
}

/** With colours. */
function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
