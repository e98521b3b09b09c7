/**
 * Entry of the npm scripts: `node tools/run.mjs <script> …`. Sets up, then runs the script on Node 26 and passes
 * its exit code on. Ctrl-C reaches the script through the terminal; this process only waits for it.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { nodePath, root, setUp } from "./set-up.mjs";

const SCRIPTS = {
  start: { jail: true, args: ["tools/start.ts"] },
  test: { jail: true, args: ["node_modules/vitest/vitest.mjs", "run"] },
  check: { jail: true, args: ["tools/check.ts"] },
  bench: { jail: true, args: ["bench/main.ts"] },
  conformance: { jail: true, args: ["tools/conformance.ts"] },
  docs: { jail: false, args: ["tools/generate-docs.ts", "--write"] },
  plinth: { jail: false, args: ["packages/cli/src/main.ts"] },
};

const [name = "", ...rest] = process.argv.slice(2);
const script = SCRIPTS[name];
if (script === undefined) {
  console.error(`Unknown script '${name}'; there are ${Object.keys(SCRIPTS).join(", ")}.`);
  process.exit(4);
}
setUp({ jail: script.jail });

const folder = `${join(root, "node_modules", `node-linux-${process.arch}`, "bin")}:${join(root, "node_modules", ".bin")}`;
const child = spawn(nodePath(), ["--disable-warning=ExperimentalWarning", join(root, script.args[0]), ...script.args.slice(1), ...rest], {
  cwd: name === "plinth" ? process.cwd() : root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${folder}:${process.env.PATH ?? ""}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    // A terminal has sent it to the child too; a supervisor has sent it only here.
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
