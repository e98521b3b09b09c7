/**
 * Makes the sandbox of a host: finds the tools, makes the isolate's image, probes a real jail, and opens the pools at the tier
 * that was found. Other runtimes are prepared when the first version needs them.
 */
import { availableParallelism } from "node:os";
import { limit } from "@plinth/core/limits.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { SandboxBudget } from "./budget.ts";
import { jailDoesNotStart } from "./jail/doctor.ts";
import type { RunnerProgram } from "./jail/image.ts";
import type { JailKit } from "./jail/jail.ts";
import { prepareJailKit } from "./jail/kit.ts";
import { probeJail } from "./jail/probe.ts";
import { ProcessProvider } from "./jail/process-provider.ts";
import { type CellsReport, judgeTier, type TierReport, withoutJail } from "./jail/tiers.ts";
import { RunnerPool } from "./runner-pool.ts";
import type { SandboxEvent } from "./sandbox-event.ts";
import type { SandboxProvider } from "./provider.ts";
import { prepareIsolateImage } from "./runtimes/isolate.ts";
import type { ProgramImage, RuntimeAdapter } from "./runtimes/runtime-adapter.ts";
import { RUNTIMES } from "./runtimes/table.ts";
import type { Sandbox, VersionCode } from "./sandbox.ts";
import { NodeTools } from "./jail-tools.ts";
import type { JailTools } from "./tools.ts";
import { TenantGate } from "./tenant-gate.ts";
import { VersionPool } from "./version-pool.ts";

export interface SandboxOptions {
  readonly runtime: Runtime;
  /** Unassigned runners kept ready. */
  readonly warmRunners?: number;
  readonly runnersMax?: number;
  readonly memoryBytesMax?: number;
  /** Processors that the runners share; those of the machine when absent. */
  readonly processors?: number;
  /** Runs user code without any jail. One tenant only. */
  readonly unsafeNoJail?: boolean;
  /** What runs in the jails of the isolate runtime, unless a test says otherwise. */
  readonly program?: RunnerProgram;
  /** Adapters in place of those of the table. */
  readonly runtimes?: Readonly<Partial<Record<RuntimeName, RuntimeAdapter>>>;
  /** Processes for inline code that are kept ready for each runtime once it was used. */
  readonly warmInline?: number;
  /** The interpreter that the operator chose. */
  readonly python?: string;
  /** Starts the cells of packages and inline code; process jails when absent. It is closed with the sandbox, also when that does not open. */
  readonly provider?: SandboxProvider;
  /** Where the runtime image is kept. */
  readonly imageFolder?: string;
  readonly onEvent?: (event: SandboxEvent) => void;
}

export interface JailedSandbox extends Sandbox {
  readonly report: TierReport;
  /** Reads hostile YAML and evaluates jq in processes of the tenant. */
  readonly tools: JailTools;
  /** Resolves when the runners that are being started are ready. */
  settled(): Promise<void>;
}

/** Fails with JailMissing, which says what to run, where no jail can be built. */
export async function createSandbox(options: SandboxOptions): Promise<JailedSandbox> {
  const unsafe = options.unsafeNoJail ?? false;
  const provider = new ProcessProvider(prepareJailKit({ runtime: options.runtime, unsafe }));
  try {
    const adapters = { ...RUNTIMES, ...options.runtimes };
    const images = imagesOf(adapters, options);
    const packages = await options.provider?.inspect?.(await images("node"));
    const image = await prepareIsolateImage(options);
    const gate = new TenantGate();
    const shared = {
      runtime: options.runtime,
      gate,
      budget: new SandboxBudget({
        runnersMax: options.runnersMax ?? limit("runnersMax"),
        memoryBytesMax: options.memoryBytesMax ?? limit("sandboxMemoryBytesMax"),
      }),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    };
    // The first runners start while the probe runs; nobody gets one before the tier is known.
    const pool = new RunnerPool({
      ...shared,
      provider,
      image,
      warmRunners: options.warmRunners ?? 2,
      processors: options.processors ?? availableParallelism(),
    });
    const report = withPackages(await inspectJail(provider.kit, image), packages);
    if (report.tier === 0 && !unsafe) {
      await pool.close();
      throw jailDoesNotStart([]);
    }
    if (report.tier < 2) gate.limit(1);
    const versions = new VersionPool({
      ...shared,
      provider: options.provider ?? provider,
      adapters,
      image: images,
      warmInline: options.warmInline ?? 1,
    });
    return new SandboxOfHost({
      pool,
      versions,
      providers: [provider, ...(options.provider === undefined ? [] : [options.provider])],
      report,
      tools: new NodeTools({
        sandbox: versions,
        runtime: options.runtime,
        ...(options.imageFolder === undefined ? {} : { imageFolder: options.imageFolder }),
      }),
    });
  } catch (error) {
    await Promise.all([provider.close(), options.provider?.close()]);
    throw error;
  }
}

/** With the cells of packages, where another provider starts them. The weaker of the two makes the host's tier. */
function withPackages(report: TierReport, packages: CellsReport | undefined): TierReport {
  if (packages === undefined) return report;
  return { ...report, tier: packages.tier < report.tier ? packages.tier : report.tier, packages };
}

/** Probes this machine without opening a pool. Fails with JailMissing like `createSandbox`. */
export async function inspectHost(options: Pick<SandboxOptions, "runtime" | "program" | "imageFolder">): Promise<TierReport> {
  const provider = new ProcessProvider(prepareJailKit({ runtime: options.runtime }));
  try {
    return await inspectJail(provider.kit, await prepareIsolateImage(options));
  } finally {
    await provider.close();
  }
}

/** What a jail of this host withstands. `plinth doctor` and `/healthz` show it. */
async function inspectJail(kit: JailKit, image: ProgramImage): Promise<TierReport> {
  if (kit.unsafe) return withoutJail();
  const probes = await probeJail(kit, image);
  if (!probes.some((probe) => probe.name === "start" && probe.ok)) throw jailDoesNotStart(probes);
  return judgeTier({ probes, userPerJail: kit.slots !== undefined, cgroupVersion: kit.cgroups?.version });
}

/** Prepares images at their first use; a failure is tried again at the next. */
function imagesOf(
  adapters: Readonly<Record<RuntimeName, RuntimeAdapter>>,
  options: SandboxOptions,
): (name: RuntimeName) => Promise<ProgramImage> {
  const prepared = new Map<RuntimeName, Promise<ProgramImage>>();
  return async (name) => {
    const image = prepared.get(name) ?? prepareFor(adapters[name], options);
    prepared.set(name, image);
    try {
      return await image;
    } catch (error) {
      prepared.delete(name);
      throw error;
    }
  };
}

async function prepareFor(adapter: RuntimeAdapter, options: SandboxOptions): Promise<ProgramImage> {
  const image = await adapter.prepare(options);
  await options.provider?.prepare?.(image);
  return image;
}

class SandboxOfHost implements JailedSandbox {
  readonly report: TierReport;
  readonly tools: JailTools;
  readonly #pool: RunnerPool;
  readonly #versions: VersionPool;
  readonly #providers: readonly SandboxProvider[];

  constructor(parts: {
    readonly pool: RunnerPool;
    readonly versions: VersionPool;
    readonly providers: readonly SandboxProvider[];
    readonly report: TierReport;
    readonly tools: JailTools;
  }) {
    this.#pool = parts.pool;
    this.#versions = parts.versions;
    this.#providers = parts.providers;
    this.report = parts.report;
    this.tools = parts.tools;
  }

  acquire(request: Parameters<Sandbox["acquire"]>[0], signal: AbortSignal): ReturnType<Sandbox["acquire"]> {
    return this.#poolOf(request.version).acquire(request, signal);
  }

  analyze(request: Parameters<Sandbox["analyze"]>[0]): ReturnType<Sandbox["analyze"]> {
    return this.#poolOf(request.version).analyze(request);
  }

  warm(request: Parameters<Sandbox["warm"]>[0]): Promise<void> {
    return this.#poolOf(request.version).warm(request);
  }

  async evict(tenant: string, branch?: string): Promise<void> {
    await Promise.all([this.#pool.evict(tenant, branch), this.#versions.evict(tenant, branch)]);
  }

  status(): ReturnType<Sandbox["status"]> {
    const [a, b] = [this.#pool.status(), this.#versions.status()];
    return {
      runners: a.runners + b.runners,
      warm: a.warm + b.warm,
      busy: a.busy + b.busy,
      memoryBytes: a.memoryBytes + b.memoryBytes,
      spawned: a.spawned + b.spawned,
      killed: a.killed + b.killed,
    };
  }

  settled(): Promise<void> {
    return this.#pool.settled();
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#versions.close()]);
    for (const provider of this.#providers) await provider.close();
  }

  #poolOf(version: VersionCode): RunnerPool | VersionPool {
    return version.runtime === undefined || version.runtime === "isolate" ? this.#pool : this.#versions;
  }
}
