/**
 * The suite `triggers`: every package below a folder is installed on a host of its own that has the example CRM, and each thing that
 * it declares is set off as it would be there: hooks, changes of the CRM, timers, webhooks, commands, forms, operations, sync runs.
 */
import { resolve } from "node:path";
import { note, print, printJson, table } from "../../packages/cli/src/output.ts";
import type { Json } from "../../packages/cli/src/client.ts";
import type { Suite } from "../conformance.ts";
import { findPackages } from "./find-packages.ts";
import { drivePackage, type DrivenPackage } from "./triggers/drive-package.ts";
import type { TriggerKind, TriggerReport, TriggerResult } from "./triggers/trigger-report.ts";

const RESULTS: readonly TriggerResult[] = ["passed", "outside", "package", "failed", "notApplicable"];

export const triggers: Suite = async ({ folder, json, only, overrides }) => {
  const root = resolve(folder);
  const { packages, incomplete } = findPackages(root);
  const chosen = packages.filter((path) => path.includes(only));
  const driven: DrivenPackage[] = [];
  for (const [i, path] of chosen.entries()) {
    note(`${i + 1}/${chosen.length} ${path}`);
    const one = await drivePackage(path, { root, overrides });
    for (const each of one.triggers) note(`  ${lineOf(each)}`);
    driven.push(one);
  }
  const all = driven.flatMap((one) => one.triggers);
  const passed = driven.filter(hasPassed).length;
  if (json) printJson({ packages: driven, incomplete, passed, totals: countsOf(all), kinds: kindsOf(all) } as unknown as Json);
  else {
    print(table(["PACKAGE", ...RESULTS.map((name) => name.toUpperCase()), "RESULT"], driven.map(rowOf)));
    print(
      table(
        ["KIND", ...RESULTS.map((name) => name.toUpperCase())],
        Object.entries(kindsOf(all)).map(([kind, counts]) => [kind, ...cells(counts)]),
      ),
    );
    print(`${passed} of ${driven.length} packages passed.`);
  }
  if (chosen.length === 0) note(`There is no package below ${root}.`);
  return chosen.length > 0 && passed === driven.length;
};

export function hasPassed({ triggers: all }: DrivenPackage): boolean {
  return all.length > 0 && all.every(({ result }) => result !== "failed");
}

type Counts = Readonly<Record<TriggerResult, number>>;

function countsOf(all: readonly TriggerReport[]): Counts {
  const counts = { passed: 0, outside: 0, package: 0, failed: 0, notApplicable: 0 };
  for (const { result } of all) counts[result] += 1;
  return counts;
}

function kindsOf(all: readonly TriggerReport[]): Readonly<Record<string, Counts>> {
  const kinds = new Set<TriggerKind>(all.map(({ kind }) => kind));
  return Object.fromEntries([...kinds].map((kind) => [kind, countsOf(all.filter((each) => each.kind === kind))]));
}

function cells(counts: Counts): readonly string[] {
  return RESULTS.map((name) => String(counts[name]));
}

function rowOf(one: DrivenPackage): readonly string[] {
  return [one.folder, ...cells(countsOf(one.triggers)), hasPassed(one) ? "passed" : "FAILED"];
}

function lineOf({ kind, trigger, result, reason, calls, ms }: TriggerReport): string {
  const asked = calls.length === 0 ? "" : ` [${calls.slice(0, 6).join(", ")}${calls.length > 6 ? ", …" : ""}]`;
  return `${result} ${kind}: ${trigger} (${ms} ms)${reason === "" ? "" : `: ${reason}`}${asked}`;
}
