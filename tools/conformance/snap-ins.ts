/** The suite `snap-ins`: every package below a folder, one after the other, each on a host of its own. */
import { resolve } from "node:path";
import { note, print, printJson, table } from "../../packages/cli/src/output.ts";
import type { Json } from "../../packages/cli/src/client.ts";
import type { Suite } from "../conformance.ts";
import { checkPackage } from "./check-package.ts";
import { findPackages } from "./find-packages.ts";
import { hasPassed, type CallResult, type PackageReport, type StepName } from "./package-report.ts";

const STEPS: readonly StepName[] = ["manifest", "build", "host", "push", "install", "configure", "activate", "deactivate", "remove"];
const DETAIL_CHARS_SHOWN = 400;

export const snapIns: Suite = async ({ folder, json, only, overrides }) => {
  const root = resolve(folder);
  const { packages, incomplete } = findPackages(root);
  const chosen = packages.filter((path) => path.includes(only));
  const reports: PackageReport[] = [];
  for (const [i, path] of chosen.entries()) {
    const head = `${i + 1}/${chosen.length} ${path}`;
    note(head);
    const report = await checkPackage(path, { root, overrides, progress: () => undefined });
    for (const line of linesOf(report)) note(`  ${line}`);
    reports.push(report);
  }
  const passed = reports.filter(hasPassed).length;
  if (json) {
    printJson({ packages: reports.map((report) => ({ ...report, passed: hasPassed(report) })), incomplete, passed } as unknown as Json);
  } else {
    print(table(["PACKAGE", ...STEPS.map((name) => name.toUpperCase()), "FUNCTIONS", "PASSED"], reports.map(rowOf)));
    if (incomplete.length > 0) print(`Not looked at, for want of a manifest or of \`code\`: ${incomplete.join(", ")}`);
    print(`${passed} of ${reports.length} packages passed.`);
  }
  if (chosen.length === 0) note(`There is no package below ${root}.`);
  return chosen.length > 0 && passed === reports.length;
};

function rowOf(report: PackageReport): readonly string[] {
  const cells = STEPS.map((name) => {
    const step = report.steps.find((each) => each.name === name);
    return step === undefined ? "" : step.status === "ok" ? shownMs(step.ms) : step.status;
  });
  return [report.folder, ...cells, shownCalls(report), hasPassed(report) ? "yes" : "NO"];
}

function shownCalls({ calls }: PackageReport): string {
  const counts = new Map<CallResult, number>();
  for (const { result } of calls) counts.set(result, (counts.get(result) ?? 0) + 1);
  return [...counts].map(([result, count]) => `${count} ${result}`).join(", ");
}

/** What is worth reading of one package: what did not go well, and how each function ended. */
function linesOf({ steps, calls, overrides }: PackageReport): readonly string[] {
  return [
    ...Object.entries(overrides).map(([name, version]) => `override ${name}=${version}`),
    ...steps.filter(({ status }) => status !== "ok").map(({ name, status, detail }) => `${name} ${status}: ${short(detail)}`),
    ...calls.map(
      ({ function: name, kind, result, ms, detail }) =>
        `${name} (${kind}) ${result} in ${shownMs(ms)}${detail === "" ? "" : `: ${short(detail)}`}`,
    ),
  ];
}

function short(text: string): string {
  return text.length > DETAIL_CHARS_SHOWN ? `${text.slice(0, DETAIL_CHARS_SHOWN)}…` : text;
}

function shownMs(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
