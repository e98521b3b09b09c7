/**
 * `npm start`: a host with the quickstart on it. Deploys the functions, calls them with real input, prints what
 * happened and what to try next, and stays until Ctrl-C.
 */
import { join } from "node:path";
import { styleText } from "node:util";
import { createBundler } from "../packages/cli/src/bundle/bundle.ts";
import type { Json } from "../packages/cli/src/client.ts";
import { runFunction } from "../packages/cli/src/commands/run.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { CommandFailure } from "../packages/cli/src/failure.ts";
import { startHostProcess, type HostReady } from "../packages/cli/src/host/host-process.ts";
import { push } from "../packages/cli/src/push.ts";
import { PlinthError } from "../packages/core/src/errors.ts";

const startedMs = performance.now();
const root = join(import.meta.dirname, "..");
const functions = join(root, "examples", "quickstart", "convex");
const bold = (text: string) => styleText("bold", text);
const dim = (text: string) => styleText("dim", text);

const [...given] = process.argv.slice(2);
const once = given.includes("--once");
if (given[0]?.startsWith("-") === false)
  fail(new CommandFailure(`npm start takes no '${given[0]}'. Options of the host follow two hyphens: npm start -- --port 4000`, 4));
// The host speaks up only when something is wrong; a flag given later wins.
const hostArguments = ["--log-level", "warn", ...given.filter((argument) => argument !== "--once")];

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

try {
  const bundler = createBundler(functions);
  // Bundling and starting do not wait for each other.
  const [host] = await Promise.all([startHostProcess(hostArguments), bundler.bundle().catch(() => undefined)]);
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve());
    if (stop.signal.aborted) resolve();
  });
  try {
    const connection = { url: host.ready.url, key: host.ready.adminKey };
    const { functions: deployed, version } = await push(connection, bundler, { folder: functions, note: "npm start" });
    console.log(`${bold("Plinth")} runs. Deployed examples/quickstart: ${deployed.length} functions, version ${version.slice(0, 12)}.\n`);
    await demonstrate(connection);
    printNextSteps(host.ready);
    console.log(dim(`\nReady after ${((performance.now() - startedMs) / 1000).toFixed(1)} s. Ctrl-C stops everything.`));
    await bundler.dispose();
    if (!once) {
      const code = await Promise.race([stopped, host.ended]);
      if (typeof code === "number") throw new CommandFailure(`The host ended by itself with code ${code}.`, code === 0 ? 7 : code);
    }
  } finally {
    await host.stop();
  }
  process.exit(0);
} catch (error) {
  fail(error);
}

/** Calls queries, a mutation that calls another, and an action, and shows what each returned. */
async function demonstrate(connection: Connection): Promise<void> {
  const call = async (path: string, args: { readonly [name: string]: Json }): Promise<Json> => {
    const fromMs = performance.now();
    const value = await runFunction(connection, path, args, (line) => console.log(dim(`    console ${line}`)));
    const took = `${(performance.now() - fromMs).toFixed(1)} ms`;
    console.log(`  ${path} ${dim(JSON.stringify(args))}\n    → ${shorten(value)} ${dim(took)}`);
    return value;
  };
  const email = `ada-${Date.now()}@example.com`;
  const accountId = await call("accounts:open", { name: "Ada", email });
  await call("subscriptions:start", { accountId, plan: "team", seats: 12, period: "2026-11" });
  await call("invoices:billAll", { period: "2026-12" });
  await call("accounts:get", { accountId });
  await call("accounts:list", {});
}

function shorten(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= 160 ? text : `${text.slice(0, 157)}…`;
}

function printNextSteps({ url, siteUrl, adminKey, tier }: HostReady): void {
  console.log(`
  ${bold("API")}           ${url}
  ${bold("HTTP actions")}  ${siteUrl}   ${dim(`try ${siteUrl}/accounts`)}
  ${bold("admin key")}     ${adminKey}
  ${bold("isolation")}     tier ${tier} ${dim("(npx plinth doctor says more)")}

Try next, in another terminal:
  npx plinth run accounts:list '{}'
  npx plinth dev examples/quickstart
  curl -s ${url}/api/query -H 'content-type: application/json' -d '{"path":"accounts:list","args":{},"format":"json"}'`);
}

function fail(error: unknown): never {
  if (error instanceof CommandFailure || error instanceof PlinthError) {
    console.error(error.message);
    process.exit(error instanceof CommandFailure ? error.exitCode : error.spec.exitCode);
  }
  console.error(error);
  process.exit(7);
}
