/**
 * Moves what the bundler does for every module at the start of the script to the first use of the module: it
 * makes a table of the module's exports, one function per export. An app with 300 functions would pay a tenth
 * of a millisecond for that in each of its calls, which use one of them.
 *
 * The script is a text here, and only what has exactly the known shape is moved; all else stays as it is. The
 * place of a table is filled with spaces, so that the source map still fits.
 */
import { MODULES_GLOBAL } from "@plinth/core/protocol/runner-protocol.ts";

const TABLE = /(\{(?:(?:[\w$]+|"(?:[^"\\]|\\.)*"):\(\)=>[\w$]+,?)*\})\);/y;
const NAME_CHARACTER = /[\w$]/;

interface Table {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function withLazyExports(script: string): string {
  const entryStart = script.lastIndexOf(`globalThis.${MODULES_GLOBAL}=`);
  if (entryStart < 0) return script;
  const body = script.slice(0, entryStart);
  const maker = unusedName(script);
  const tables: Table[] = [];
  const entry = script.slice(entryStart).replaceAll(/__toCommonJS\(([\w$]+)\)/g, (use, name: string) => {
    const table = tableOf(body, name);
    if (table === undefined) return use;
    tables.push(table);
    return `${maker}(${table.text})`;
  });
  if (tables.length === 0) return script;
  return `${blanked(body, tables)}var ${maker}=all=>{var target={};__export(target,all);return target};${entry}`;
}

/** The statements that make the table of exports, when nothing but the entry uses it. */
function tableOf(body: string, name: string): Table | undefined {
  const head = `var ${name}={};__export(${name},`;
  const start = body.indexOf(head);
  if (start < 0) return undefined;
  TABLE.lastIndex = start + head.length;
  const text = TABLE.exec(body)?.[1];
  return text === undefined || countUses(body, name) !== 2 ? undefined : { start, end: TABLE.lastIndex, text };
}

function countUses(body: string, name: string): number {
  let count = 0;
  for (let at = body.indexOf(name); at >= 0; at = body.indexOf(name, at + 1)) {
    const [before = "", after = ""] = [body[at - 1], body[at + name.length]];
    if (!NAME_CHARACTER.test(before) && !NAME_CHARACTER.test(after)) count++;
  }
  return count;
}

function blanked(body: string, tables: readonly Table[]): string {
  let text = "";
  let done = 0;
  for (const { start, end } of tables.toSorted((a, b) => a.start - b.start)) {
    text += body.slice(done, start) + " ".repeat(end - start);
    done = end;
  }
  return text + body.slice(done);
}

function unusedName(script: string): string {
  let name = "__exported";
  while (script.includes(name)) name += "_";
  return name;
}
