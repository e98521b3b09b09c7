/**
 * The tool that reads the scripts of flows: the body of an async function in sloppy mode, read by a parser. What it finds has the line
 * and the column of the author's text, both from 1.
 */
import { type Options, parse, type Program } from "acorn";
import type { ToolAnswer } from "../answers.ts";
import { findForbidden } from "./forbidden.ts";
import { lexicalNames } from "./scopes.ts";

export interface ScriptInput {
  readonly code: string;
  /** What the function is called with; the script cannot declare these names again. */
  readonly names: readonly string[];
}

export interface ScriptFinding {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const FINDINGS_MAX = 50;
const MESSAGE_CHARS_MAX = 300;
const OPTIONS: Options = {
  ecmaVersion: "latest",
  sourceType: "script",
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  // Found and explained in `forbidden.ts`.
  allowImportExportEverywhere: true,
  allowHashBang: false,
};

export async function readScript(input: ScriptInput): Promise<ToolAnswer> {
  return { value: { findings: findingsOf(input) } };
}

export function findingsOf({ code, names }: ScriptInput): readonly ScriptFinding[] {
  try {
    const program = parse(code, OPTIONS);
    const found = [...takenNames(program, names), ...findForbidden(program, names)];
    return found
      .sort((a, b) => a.start - b.start)
      .slice(0, FINDINGS_MAX)
      .map(({ start, message }) => ({ ...placeOf(code, start), message }));
  } catch (error) {
    if (error instanceof RangeError) return [{ line: 1, column: 1, message: "it is nested too deeply; put parts of it into functions." }];
    if (error instanceof SyntaxError) return [syntaxFinding(code, error)];
    throw error;
  }
}

function takenNames(program: Program, names: readonly string[]): { readonly start: number; readonly message: string }[] {
  return program.body.flatMap((statement) =>
    [...lexicalNames([statement])]
      .filter((name) => names.includes(name) && statement.type !== "FunctionDeclaration")
      .map((name) => ({ start: statement.start, message: `\`${name}\` is there already; give the variable another name.` })),
  );
}

function syntaxFinding(code: string, error: SyntaxError): ScriptFinding {
  const position = "pos" in error && typeof error.pos === "number" ? error.pos : 0;
  const message = error.message.replace(/ \(\d+:\d+\)$/, "").slice(0, MESSAGE_CHARS_MAX);
  return { ...placeOf(code, position), message: `it is no JavaScript: ${message}.` };
}

const LINE_END = /\r\n?|[\n\u2028\u2029]/g;

function placeOf(code: string, at: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (const match of code.slice(0, at).matchAll(LINE_END)) {
    line += 1;
    lineStart = match.index + match[0].length;
  }
  return { line, column: at - lineStart + 1 };
}
