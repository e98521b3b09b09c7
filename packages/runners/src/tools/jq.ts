/** The jq tool: evaluates a program of jq, compiled to WebAssembly, on one JSON value. Nothing of the system is behind it. */
import { raw } from "jq-wasm";
import type { ToolAnswer } from "./answers.ts";

const MESSAGE_CHARS_MAX = 2000;
const VALUES_MAX = 10_000;
/** How the compiled program ends when it has no memory left: it aborts, which leaves it in no state to go on. */
const OUT_OF_MEMORY =
  /\baborted\(|out of memory|\boom\b|cannot (?:enlarge|allocate) memory|could not allocate|memory access out of bounds|array buffer allocation failed|invalid array length/i;

export async function runJq(input: {
  readonly program: string;
  readonly input: unknown;
  readonly valuesMax?: number;
}): Promise<ToolAnswer> {
  const valuesMax = Math.min(input.valuesMax ?? VALUES_MAX, VALUES_MAX);
  try {
    const output = await raw(JSON.stringify(input.input ?? null), input.program, ["-c"]);
    const lines = output.split("\n").filter((line) => line !== "");
    if (lines.length > valuesMax) return { failed: `the program yields ${lines.length} values and may yield ${valuesMax}` };
    return { value: { values: lines.map((line): unknown => JSON.parse(line)) } };
  } catch (error) {
    return failureOf(error instanceof Error ? error.message : String(error));
  }
}

function failureOf(message: string): ToolAnswer {
  if (OUT_OF_MEMORY.test(message) && !message.includes("jq: error")) return { outOfMemory: true };
  return {
    failed: message
      .replace(/^Failed to execute raw query: /, "")
      .trim()
      .slice(0, MESSAGE_CHARS_MAX),
  };
}
