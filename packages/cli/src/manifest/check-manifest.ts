/** Checks the manifest of a folder on the author's machine, with the reader that the host uses. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { styleText } from "node:util";
import { checkFunctions } from "@plinth/core/manifest/check-functions.ts";
import type { ManifestFinding } from "@plinth/core/manifest/manifest.ts";
import { parseManifest } from "@plinth/core/manifest/parse-manifest.ts";
import { readYaml } from "@plinth/core/manifest/yaml-source.ts";
import { limit } from "@plinth/core/limits.ts";
import { CommandFailure } from "../failure.ts";
import { print, printable, printJson } from "../output.ts";
import { factoryNames, hasFileOfItsOwn } from "./factory-names.ts";

export interface ManifestCheck {
  /** As it is shown: relative to the folder of the command. */
  readonly file: string;
  readonly findings: readonly ManifestFinding[];
  readonly errors: number;
  readonly warnings: number;
  /** Whether the code's functions could be read without running it. */
  readonly functionsCompared: boolean;
}

const NAMES = ["manifest.yaml", "manifest.yml"];
const EXIT_CODE_INVALID = 4;

/** `path` is a manifest, or a folder with one. */
export function checkManifest(path: string): ManifestCheck {
  const file = findManifest(path);
  const { findings, functionsCompared } = readFindings(file);
  return {
    file: relative(process.cwd(), file) || file,
    findings,
    errors: findings.filter(({ severity }) => severity === "error").length,
    warnings: findings.filter(({ severity }) => severity === "warning").length,
    functionsCompared,
  };
}

function readFindings(file: string): Pick<ManifestCheck, "findings" | "functionsCompared"> {
  const bytes = statSync(file).size;
  const bytesMax = limit("manifestBytesMax");
  if (bytes > bytesMax) {
    throw new CommandFailure(
      `${file} has ${bytes} bytes; a manifest may have ${bytesMax}. Move long texts into the code.`,
      EXIT_CODE_INVALID,
    );
  }
  const source = readYaml(readFileSync(file, "utf8"));
  if (source.json === undefined) return { findings: source.findings, functionsCompared: false };
  const { manifest, findings } = parseManifest(source.json, source.lines);
  const read = [...source.findings, ...findings];
  const code = join(dirname(file), "code");
  const names = manifest === null ? null : factoryNames(code);
  if (manifest === null || names === null) return { findings: byLine(read), functionsCompared: false };
  const inFiles = manifest.functions.map(({ name }) => name).filter((name) => hasFileOfItsOwn(code, name));
  return { findings: byLine([...read, ...checkFunctions(manifest, [...names, ...inFiles], source.lines)]), functionsCompared: true };
}

function byLine(findings: readonly ManifestFinding[]): readonly ManifestFinding[] {
  return findings.toSorted((a, b) => a.line - b.line);
}

function findManifest(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new CommandFailure(`There is no ${path}. Name a manifest, or the folder that holds it.`, EXIT_CODE_INVALID);
  if (!stats.isDirectory()) return path;
  const found = NAMES.map((name) => join(path, name)).find((file) => existsSync(file));
  if (found === undefined) {
    throw new CommandFailure(
      `There is no ${NAMES.join(" or ")} in ${path}. Go to the folder of the package, or name it.`,
      EXIT_CODE_INVALID,
    );
  }
  return found;
}

/** Findings go to standard output, as those of compilers do: `file:line: error: message (path)`. */
export function printCheck(check: ManifestCheck, asJson: boolean): void {
  if (asJson) {
    const { file, errors, warnings, functionsCompared } = check;
    printJson({ file, errors, warnings, functionsCompared, findings: check.findings.map((finding) => ({ ...finding })) });
    return;
  }
  for (const finding of check.findings) process.stdout.write(`${findingLine(check.file, finding)}\n`);
  print(summary(check));
}

function findingLine(file: string, { severity, path, line, message }: ManifestFinding): string {
  const where = path === "" ? "" : ` (${path})`;
  const colour = severity === "error" ? "red" : "yellow";
  const label = process.stdout.isTTY ? styleText(colour, severity) : severity;
  return `${printable(`${file}:${line}:`)} ${label}: ${printable(message.replaceAll("\n", " ") + where)}`;
}

function summary({ file, errors, warnings, functionsCompared }: ManifestCheck): string {
  const counts = errors + warnings === 0 ? "no findings" : `${count(errors, "error")}, ${count(warnings, "warning")}`;
  const compared =
    errors + warnings === 0 ? "The code has the functions that it declares." : "The functions of the code were compared too.";
  const later =
    errors > 0 ? "The code is looked at when the manifest has no error." : "The functions of the code are compared when it is built.";
  return `${file}: ${counts}. ${functionsCompared ? compared : later}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
