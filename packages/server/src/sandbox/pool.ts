/**
 * Makes the sandbox of a host: finds the tools, makes the runtime image, probes a real jail, and opens the
 * pool at the tier that was found.
 */
import { availableParallelism } from "node:os";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { jailDoesNotStart } from "./jail/doctor.ts";
import type { RunnerProgram } from "./jail/image.ts";
import type { JailKit } from "./jail/jail.ts";
import { prepareJailKit } from "./jail/kit.ts";
import { probeJail } from "./jail/probe.ts";
import { ProcessProvider } from "./jail/process-provider.ts";
import { judgeTier, type TierReport, withoutJail } from "./jail/tiers.ts";
import { RunnerPool, type SandboxEvent } from "./runner-pool.ts";
import { prepareIsolateImage } from "./runtimes/isolate.ts";
import type { ProgramImage } from "./runtimes/runtime-adapter.ts";
import type { Sandbox } from "./sandbox.ts";

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
  /** What runs in the jails; the isolate runtime unless a test says otherwise. */
  readonly program?: RunnerProgram;
  /** Where the runtime image is kept. */
  readonly imageFolder?: string;
  readonly onEvent?: (event: SandboxEvent) => void;
}

export interface JailedSandbox extends Sandbox {
  readonly report: TierReport;
  /** Resolves when the runners that are being started are ready. */
  settled(): Promise<void>;
}

/** Fails with JailMissing, which says what to run, where no jail can be built. */
export async function createSandbox(options: SandboxOptions): Promise<JailedSandbox> {
  const unsafe = options.unsafeNoJail ?? false;
  const provider = new ProcessProvider(prepareJailKit({ runtime: options.runtime, unsafe }));
  try {
    const image = await prepareIsolateImage(options);
    // The first runners start while the probe runs; nobody gets one before the tier is known.
    const pool = new RunnerPool({
      runtime: options.runtime,
      provider,
      image,
      warmRunners: options.warmRunners ?? 2,
      runnersMax: options.runnersMax ?? limit("runnersMax"),
      memoryBytesMax: options.memoryBytesMax ?? limit("sandboxMemoryBytesMax"),
      processors: options.processors ?? availableParallelism(),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    });
    const report = await inspectJail(provider.kit, image);
    if (report.tier === 0 && !unsafe) {
      await pool.close();
      throw jailDoesNotStart([]);
    }
    if (report.tier < 2) pool.limitTenants(1);
    return new SandboxOfHost(pool, provider, report);
  } catch (error) {
    await provider.close();
    throw error;
  }
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

class SandboxOfHost implements JailedSandbox {
  readonly report: TierReport;
  readonly #pool: RunnerPool;
  readonly #provider: ProcessProvider;

  constructor(pool: RunnerPool, provider: ProcessProvider, report: TierReport) {
    this.#pool = pool;
    this.#provider = provider;
    this.report = report;
  }

  acquire(request: Parameters<Sandbox["acquire"]>[0], signal: AbortSignal): ReturnType<Sandbox["acquire"]> {
    return this.#pool.acquire(request, signal);
  }

  analyze(request: Parameters<Sandbox["analyze"]>[0]): ReturnType<Sandbox["analyze"]> {
    return this.#pool.analyze(request);
  }

  warm(request: Parameters<Sandbox["warm"]>[0]): Promise<void> {
    return this.#pool.warm(request);
  }

  evict(tenant: string): Promise<void> {
    return this.#pool.evict(tenant);
  }

  status(): ReturnType<Sandbox["status"]> {
    return this.#pool.status();
  }

  settled(): Promise<void> {
    return this.#pool.settled();
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#provider.close();
  }
}
