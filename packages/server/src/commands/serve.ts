/** `serve`: runs a host until it is told to end. */
import { flushCompileCache } from "node:module";
import { readConfig, shareCompileCache } from "../config.ts";
import { startHost } from "../host.ts";
import { closeInheritedFiles } from "../inherited-files.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";

export async function serve(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) return await (await import("./help.ts")).help();
  const config = readConfig(args);
  closeInheritedFiles();
  shareCompileCache();
  const { telemetry, close } = await openTelemetry(config, createSystemRuntime());
  const { log } = telemetry;
  const ending = endRequested();
  process.on("unhandledRejection", (error) => log.error({ err: error }, "a promise was rejected and nobody looked at it"));
  const host = await startHost(config, { telemetry });
  log.info(
    { url: host.url, siteUrl: host.siteUrl, grpc: host.grpcAddress, tier: host.tier, dataDir: config.dataDir, pid: process.pid },
    "the host serves",
  );
  process.send?.({
    type: "ready",
    url: host.url,
    siteUrl: host.siteUrl,
    grpcAddress: host.grpcAddress,
    adminKey: host.adminKey,
    tier: host.tier,
    pid: process.pid,
  });
  // Written now, because a host may end without a chance to.
  flushCompileCache();
  const crash = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
  const cause = await Promise.race([ending, crash]);
  if (cause instanceof Error) log.error({ err: cause }, "an exception reached the top; the host stops");
  else log.info({ reason: cause }, "the host stops");
  await host.stop();
  await close();
  return cause instanceof Error ? 7 : 0;
}

/** Resolves at the first signal, or when the process that started this one goes away. The second signal ends the process at once. */
function endRequested(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        resolve(signal);
      });
    }
    if (process.connected) process.once("disconnect", () => resolve("disconnect"));
  });
}
