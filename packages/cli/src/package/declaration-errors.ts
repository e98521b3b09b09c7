/**
 * Tells a compiler that cannot read the types of dependencies from one that refuses the package's code. The former happens to
 * packages with an older compiler as soon as a dependency's types use newer syntax; the compiler has written its whole output then.
 */
import { OUTPUT_CHARS_KEPT } from "./run-tool.ts";

/** Nothing runs after the compiler, so a failure of the script is the compiler's. */
const ENDS_WITH_TSC = /(?:^|&&|;)\s*(?:npx\s+)?tsc(?:\s[^&|;]*)?$/;
const NO_OUTPUT = /--noEmit(?:OnError)?\b/;
const ERROR = /^(\S.*?)\(\d+,\d+\): error TS\d+: /;
const DECLARATION = /(?:^|\/)node_modules\/.*\.d\.[cm]?ts$/;

/** How many errors there are, when all are in type declarations of dependencies and there is nothing else; otherwise 0. */
export function declarationErrors(script: string, output: string): number {
  if (!ENDS_WITH_TSC.test(script.trim()) || NO_OUTPUT.test(script)) return 0;
  // What was cut away could say something else.
  if (output.length >= OUTPUT_CHARS_KEPT) return 0;
  // Lines of explanation are indented; of npm's own there are some about its configuration.
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/^(?:\s|npm (?:warn|notice|error))/.test(line));
  const files = lines.map((line) => ERROR.exec(line)?.[1]);
  return files.every((file) => file !== undefined && DECLARATION.test(file)) ? files.length : 0;
}
