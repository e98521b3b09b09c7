/** Runs npm, pip and build scripts: their output is kept and shown when they fail. */
import { spawn } from "node:child_process";

export interface ToolResult {
  readonly exitCode: number;
  /** Standard output and error, the last part of it. */
  readonly output: string;
}

/** Of longer output the beginning is missing. */
export const OUTPUT_CHARS_KEPT = 64 * 1024;

export async function runTool(
  program: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    /** Whether its output says that it cannot succeed any more; it is ended then. */
    readonly isHopeless?: (output: string) => boolean;
  },
): Promise<ToolResult> {
  const child = spawn(program, [...args], { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_CHARS_KEPT);
    if (options.isHopeless?.(output) === true) child.kill();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", keep);
  }
  const exitCode = await new Promise<number>((resolve) => {
    child.on("error", (error) => {
      keep(`${program}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 128));
  });
  return { exitCode, output };
}
