/** Compares what a dry run came to with what a case expects. */
import type { Json } from "../../operations/operation.ts";
import type { DryCall, DryReport } from "../dry-report.ts";
import { checkMocks } from "../check-mocks.ts";
import { type DryRunOptions } from "../dry-run.ts";
import type { FlowProgram } from "../program.ts";
import { isList, isRecord } from "../value.ts";
import type { Expectation, ExpectedCall, FlowTestCase, FlowTestFile } from "./flow-test.ts";

/** One thing that is not as expected; `expected` and `got` are JSON, undefined where a sentence says it all. */
export interface Mismatch {
  /** Where in `expect`. */
  readonly path: string;
  readonly message: string;
  readonly expected?: Json;
  readonly got?: Json;
}

/** What a case of a file asks of a dry run. */
export function dryRunOf(file: Pick<FlowTestFile, "mocks">, test: FlowTestCase, flow: string): DryRunOptions {
  return {
    run: { id: "test", flow, version: "test", company: { id: "test", name: "test" }, environment: "test" },
    trigger: { json: test.input },
    atMs: test.atMs,
    mocks: { ...file.mocks, ...test.mocks },
    inputs: test.inputs,
  };
}

/** Mocks of a case that can answer nothing; those for all cases may be for other ones. */
export function mockProblems(program: FlowProgram, test: Pick<FlowTestCase, "mocks">): readonly Mismatch[] {
  return checkMocks(program, test.mocks).map(({ mock, problem }) => ({
    path: `mocks.${mock}`,
    message: `The mock \`${mock}\` ${problem}`,
  }));
}

/** Empty when all is as expected. */
export function mismatches(expect: Expectation, report: DryReport): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const status = expect.status ?? impliedStatus(expect);
  if (report.status !== status) {
    const why = report.unanswered?.message ?? report.error?.message;
    found.push({ path: "status", message: why ?? `The run has \`${report.status}\`.`, expected: status, got: report.status });
    if (report.status === "unanswered") return found;
  }
  same(found, "output", expect.output, report.output);
  has(found, "outputHas", expect.outputHas, report.output);
  found.push(...wrongError(expect, report));
  const path = expect.path;
  if (path !== null && !equal(path, report.path))
    found.push({ path: "path", message: wayText(path, report.path), expected: path, got: report.path });
  if (expect.calls !== null) found.push(...wrongCalls(expect.calls, report.calls));
  for (const node of expect.notCalled) {
    const call = report.calls.find((each) => each.node === node);
    if (call !== undefined) found.push({ path: "notCalled", message: `The step \`${node}\` was called.`, got: call.input });
  }
  if (expect.undone !== null && !equal(expect.undone, report.undone))
    found.push({ path: "undone", message: "Other steps were undone.", expected: expect.undone, got: report.undone });
  for (const [name, value] of Object.entries(expect.variables)) {
    const got = Object.hasOwn(report.variables, name) ? report.variables[name] : undefined;
    if (got === undefined) found.push({ path: `variables.${name}`, message: `The flow has no variable \`${name}\`.`, expected: value });
    else same(found, `variables.${name}`, { json: value }, got);
  }
  same(found, "reply", expect.reply, report.reply);
  if (expect.elapsedMs !== null && expect.elapsedMs !== report.elapsedMs)
    found.push({ path: "elapsed", message: "The run took another time (ms).", expected: expect.elapsedMs, got: report.elapsedMs });
  found.push(...report.refusals.map((message) => ({ path: "events", message })));
  return found;
}

/** A case that names an error expects a failure; any other one success. */
function impliedStatus({ error }: Expectation): DryReport["status"] {
  return error === null ? "completed" : "failed";
}

function same(found: Mismatch[], path: string, expected: { readonly json: Json } | null, got: Json): void {
  if (expected === null || equal(expected.json, got)) return;
  const at = firstDifference(expected.json, got, false);
  found.push({ path, message: `It differs${at === "" ? "" : ` at \`${at}\``}.`, expected: expected.json, got });
}

function has(found: Mismatch[], path: string, expected: { readonly json: Json } | null, got: Json): void {
  if (expected === null || isPart(expected.json, got)) return;
  const at = firstDifference(expected.json, got, true);
  found.push({ path, message: `It lacks that${at === "" ? "" : ` at \`${at}\``}.`, expected: expected.json, got });
}

function wrongError({ error: expected }: Expectation, { error }: DryReport): readonly Mismatch[] {
  if (expected === null) return [];
  if (error === null) return [{ path: "error", message: "The run has no error.", got: null }];
  const found: Mismatch[] = [];
  for (const key of ["code", "node"] as const) {
    const wanted = expected[key];
    if (wanted !== null && wanted !== error[key])
      found.push({ path: `error.${key}`, message: error.message, expected: wanted, got: error[key] });
  }
  const { message } = expected;
  if (message !== null && !error.message.includes(message))
    found.push({ path: "error.message", message: "The message has no such part.", expected: message, got: error.message });
  return found;
}

function wrongCalls(expected: readonly ExpectedCall[], got: readonly DryCall[]): readonly Mismatch[] {
  const found: Mismatch[] = [];
  for (let i = 0; i < Math.max(expected.length, got.length); i += 1) {
    const [wanted, call] = [expected[i], got[i]];
    const path = `calls[${i}]`;
    if (wanted === undefined) {
      found.push({ path, message: `There was one more call, by \`${call?.node ?? ""}\`.`, got: call === undefined ? null : { ...call } });
    } else if (call === undefined) {
      found.push({ path, message: `The call by \`${wanted.node}\` was not made.`, expected: wanted.node });
    } else if (wanted.node !== call.node) {
      found.push({ path: `${path}.node`, message: "Another step made this call.", expected: wanted.node, got: call.node });
    } else {
      if (wanted.target !== null && wanted.target !== call.target)
        found.push({ path: `${path}.target`, message: "It called something else.", expected: wanted.target, got: call.target });
      if (wanted.attempts !== null && wanted.attempts !== call.attempts)
        found.push({
          path: `${path}.attempts`,
          message: "It took another number of attempts.",
          expected: wanted.attempts,
          got: call.attempts,
        });
      same(found, `${path}.input`, wanted.input, call.input);
      has(found, `${path}.inputHas`, wanted.inputHas, call.input);
    }
    // What follows differs because of it.
    if (found.length > 0) return found;
  }
  return found;
}

function wayText(expected: readonly string[], got: readonly string[]): string {
  const at = expected.findIndex((node, i) => node !== got[i]);
  if (at < 0) return `The run went on, at \`${got[expected.length] ?? ""}\`.`;
  const before = at === 0 ? "At the start" : `After \`${expected[at - 1] ?? ""}\``;
  return `${before} it went to ${got[at] === undefined ? "its end" : `\`${got[at]}\``} and not to \`${expected[at] ?? ""}\`.`;
}

function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i] ?? null));
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name] ?? null, b[name] ?? null));
}

/** Records may have more fields; lists have the same length. */
function isPart(part: Json, whole: Json): boolean {
  if (isList(part) && isList(whole)) return part.length === whole.length && part.every((item, i) => isPart(item, whole[i] ?? null));
  if (isRecord(part) && isRecord(whole))
    return Object.keys(part).every((name) => Object.hasOwn(whole, name) && isPart(part[name] ?? null, whole[name] ?? null));
  return equal(part, whole);
}

/** Path of the first value that differs; empty when that is all of it. */
function firstDifference(a: Json, b: Json, isPartial: boolean): string {
  const fits = isPartial ? isPart : equal;
  if (isList(a) && isList(b) && a.length === b.length) {
    const i = a.findIndex((item, at) => !fits(item, b[at] ?? null));
    return i < 0 ? "" : joined(`[${i}]`, firstDifference(a[i] ?? null, b[i] ?? null, isPartial));
  }
  if (!isRecord(a) || !isRecord(b)) return "";
  const names = isPartial ? Object.keys(a) : [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const name = names.find((each) => Object.hasOwn(a, each) !== Object.hasOwn(b, each) || !fits(a[each] ?? null, b[each] ?? null));
  return name === undefined ? "" : joined(name, firstDifference(a[name] ?? null, b[name] ?? null, isPartial));
}

function joined(first: string, rest: string): string {
  return rest === "" || rest.startsWith("[") ? first + rest : `${first}.${rest}`;
}
