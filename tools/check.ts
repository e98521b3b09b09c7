/** `npm run check`: format, typed lint, types, project rules and generated pages, tests. Every step runs; each failure is shown. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const root = join(import.meta.dirname, "..");
const withTests = !process.argv.includes("--no-tests");
const fix = process.argv.includes("--fix");

const STEPS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "format", command: ["oxfmt", ...(fix ? [] : ["--check"]), "."] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings", ...(fix ? ["--fix"] : [])] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "types of the runner's guest", command: ["tsc", "-p", "packages/runners/src/isolate/guest"] },
  { name: "types of the WASM runner's guest", command: ["tsc", "-p", "packages/runners/src/wasm/guest"] },
  { name: "types of the quickstart", command: ["tsc", "-p", "examples/quickstart"] },
  { name: "types of the example CRM", command: ["tsc", "-p", "examples/crm"] },
  { name: "types of the operations example", command: ["tsc", "-p", "examples/operations"] },
  { name: "types of the flows example", command: ["tsc", "-p", "examples/flows"] },
  { name: "types of the HTTP client example", command: ["tsc", "-p", "examples/http-client"] },
  { name: "project rules", command: ["node", "tools/tidy.ts"] },
  { name: "generated pages", command: ["node", "tools/generate-docs.ts", ...(fix ? ["--write"] : [])] },
  { name: "generated types of the HTTP client", command: ["node", "examples/http-client/generate.ts", ...(fix ? [] : ["--check"])] },
  { name: "generated protobuf", command: ["node", "tools/generate-protobuf.ts", ...(fix ? [] : ["--check"])] },
  ...(withTests ? [{ name: "tests", command: ["vitest", "run"] }] : []),
];

const failed = STEPS.filter(({ name, command: [file = "", ...args] }) => {
  const startedMs = performance.now();
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status !== 0) console.log(`${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
  return status !== 0;
});
if (failed.length > 0) {
  console.log(`${failed.length} of ${STEPS.length} checks failed: ${failed.map(({ name }) => name).join(", ")}.`);
  process.exit(1);
}
console.log(`All ${STEPS.length} checks passed.`);
