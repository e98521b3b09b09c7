/** The sandbox that the configuration asks for. */
import type { Config } from "../config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { openPackageProvider } from "./container/open-provider.ts";
import { createSandbox } from "./pool.ts";
import { eventForLog } from "./sandbox-event.ts";

const MIB = 1024 * 1024;

/** Where packages run, when that is not in process jails. */
export function openProviderOf(config: Config, runtime: Runtime): ReturnType<typeof openPackageProvider> {
  return openPackageProvider({
    kind: config.sandbox,
    engine: config.containerEngine,
    ociRuntime: config.containerRuntime,
    dataDir: config.dataDir,
    runtime,
  });
}

export async function openSandbox(config: Config, { runtime, log }: { readonly runtime: Runtime; readonly log: Log }) {
  const provider = await openProviderOf(config, runtime);
  return createSandbox({
    runtime,
    warmRunners: config.warmRunners,
    warmInline: config.warmInline,
    ...(config.python === null ? {} : { python: config.python }),
    ...(provider === undefined ? {} : { provider }),
    memoryBytesMax: config.memoryBudgetMiB * MIB,
    unsafeNoJail: config.unsafeNoJail,
    ...(config.runnersMax === null ? {} : { runnersMax: config.runnersMax }),
    onEvent: (event) => {
      if (event.type === "ended" && event.end.kind === "startFailed") log.warn({ detail: event.end.detail }, "a runner did not start");
      else log.debug({ event: eventForLog(event) }, "a runner changed its state");
    },
  });
}
