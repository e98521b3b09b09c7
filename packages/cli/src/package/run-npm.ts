/** Runs an install of npm: it ends at once where a registry cannot be trusted, and not after npm's pauses of more than a minute. */
import { distrust } from "./install-failure.ts";
import { runTool, type ToolResult } from "./run-tool.ts";

/** `http`: npm then says of each request why it failed. */
const ARGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"];

export async function runNpm(args: readonly string[], options: { readonly cwd: string }): Promise<ToolResult> {
  return await runTool("npm", [...args, ...ARGS], { ...options, isHopeless: (output) => distrust(output) !== null });
}
