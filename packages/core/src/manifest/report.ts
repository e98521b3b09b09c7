/** The findings of one manifest: bounded, in the order of their lines. */
import { limit } from "../limits.ts";
import type { ManifestFinding } from "./manifest.ts";

const FINDINGS_MAX = limit("manifestFindingsMax");
const MESSAGE_CHARS_MAX = limit("manifestMessageCharsMax");

export class Report {
  /** Hostile: what a jail said about lines. */
  readonly #lines: unknown;
  readonly #findings: ManifestFinding[] = [];
  #left = 0;
  #failed = false;

  constructor(lines: unknown) {
    this.#lines = lines;
  }

  /** Whether there is an error, counted or not. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether no further finding is kept, so that nobody needs to look for more. */
  get isFull(): boolean {
    return this.#findings.length >= FINDINGS_MAX;
  }

  get findings(): readonly ManifestFinding[] {
    const sorted = this.#findings.toSorted((a, b) => a.line - b.line);
    if (this.#left === 0) return sorted;
    return [
      ...sorted,
      {
        severity: this.#failed ? "error" : "warning",
        path: "",
        line: 1,
        message: `there are ${this.#left} more findings; correct these first.`,
      },
    ];
  }

  error(path: string, message: string): void {
    this.errorAtLine(this.lineOf(path), message, path);
  }

  errorAtLine(line: number, message: string, path = ""): void {
    this.#failed = true;
    this.#add({ severity: "error", path, line, message });
  }

  warning(path: string, message: string): void {
    this.#add({ severity: "warning", path, line: this.lineOf(path), message });
  }

  /** Line of the value, or of the nearest container that has one. */
  lineOf(path: string): number {
    const lines = this.#lines;
    if (typeof lines !== "object" || lines === null) return 1;
    for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("."), at.lastIndexOf("[")))) {
      const line: unknown = Object.hasOwn(lines, at) ? Reflect.get(lines, at) : undefined;
      if (typeof line === "number" && Number.isSafeInteger(line) && line > 0) return line;
      if (at === "") return 1;
    }
  }

  #add(finding: ManifestFinding): void {
    const last = this.#findings.at(-1);
    if (last?.line === finding.line && last.path === finding.path && last.message === finding.message) return;
    if (this.isFull) {
      this.#left += 1;
      return;
    }
    const { message } = finding;
    this.#findings.push(message.length > MESSAGE_CHARS_MAX ? { ...finding, message: `${message.slice(0, MESSAGE_CHARS_MAX)}…` } : finding);
  }
}
