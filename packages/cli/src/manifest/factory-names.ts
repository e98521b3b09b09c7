/**
 * Names of the functions that a package's code exports, read from the text of `src/function-factory.ts` without running it.
 * Only a plain object literal is understood; of anything else nothing is said, because it is known only after a build.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";

const FILES = ["src/function-factory.ts", "src/function-factory.js"];
/** `functionFactory = {` of the plain JavaScript that esbuild prints. */
const FACTORY = /\bfunctionFactory\s*=\s*\{/;
const KEY = /^(?:([A-Za-z_$][\w$]*)|"((?:[^"\\]|\\.)*)")/;

/** Null when they cannot be told. */
export function factoryNames(codeFolder: string): readonly string[] | null {
  const file = FILES.map((name) => join(codeFolder, name)).find((path) => existsSync(path));
  if (file === undefined) return null;
  try {
    // Comments and types go, and quotes become uniform.
    const { code } = transformSync(readFileSync(file, "utf8"), {
      loader: "ts",
      format: "esm",
      charset: "utf8",
      legalComments: "none",
      minifyWhitespace: true,
    });
    return namesOfLiteral(code);
  } catch {
    return null;
  }
}

/** Whether a function has a file `functions/<name>/index`, which serves where the factory has no such name. */
export function hasFileOfItsOwn(codeFolder: string, name: string): boolean {
  return ["ts", "js"].some((extension) => existsSync(join(codeFolder, "src/functions", name, `index.${extension}`)));
}

/** The keys of the first object literal that is called `functionFactory`. */
export function namesOfLiteral(code: string): readonly string[] | null {
  const start = FACTORY.exec(code);
  if (start === null) return null;
  const names: string[] = [];
  let at = start.index + start[0].length;
  for (;;) {
    at = skipSpace(code, at);
    if (code[at] === "}") return names;
    const key = KEY.exec(code.slice(at, at + 300));
    if (key === null) return null;
    names.push(key[1] ?? (JSON.parse(key[0]) as string));
    at = skipSpace(code, at + key[0].length);
    if (code[at] === ":") {
      // Only references: `x`, `x.y`. A nested literal or call would need a parser.
      const value = /^:\s*[\w$.]+/.exec(code.slice(at, at + 300));
      if (value === null) return null;
      at = skipSpace(code, at + value[0].length);
    }
    if (code[at] === ",") at += 1;
    else if (code[at] !== "}") return null;
  }
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (/\s/.test(code[at] ?? "")) at += 1;
  return at;
}
