/**
 * Makes the sandbox of a host: finds the tools, makes the runtime image, probes a real jail, and opens the
 * pool at the tier that was found.
 */
import { availableParallelism } from "node:os";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { findCgroups } from "./jail/cgroup.ts";
import type { NodeCommand } from "./jail/command.ts";
import { findTools, jailDoesNotStart } from "./jail/doctor.ts";
import { prepareRuntimeImage, type RunnerProgram } from "./jail/image.ts";
import type { JailKit } from "./jail/jail.ts";
import { isolateProgram } from "./jail/isolate-program.ts";
import { PROBE_FILE, PROBE_SCRIPT } from "./jail/probe-script.ts";
import { probeJail } from "./jail/probe.ts";
import { compileSeccompFilter } from "./jail/seccomp.ts";
import { UserSlots } from "./jail/slots.ts";
import { judgeTier, type TierReport, withoutJail } from "./jail/tiers.ts";
import { RunnerPool, type SandboxEvent } from "./runner-pool.ts";
import type { Sandbox } from "./sandbox.ts";

export interface SandboxOptions {
  readonly runtime: Runtime;
  /** Unassigned runners kept ready. */
  readonly warmRunners?: number;
  readonly runnersMax?: number;
  readonly memoryBytesMax?: number;
  /** Runs user code without any jail. One tenant only. */
  readonly unsafeNoJail?: boolean;
  /** What runs in the jails; the isolate runtime unless a test says otherwise. */
  readonly program?: RunnerProgram;
  readonly command?: NodeCommand;
  /** Where the runtime image is kept. */
  readonly imageFolder?: string;
  readonly onEvent?: (event: SandboxEvent) => void;
}

export interface JailedSandbox extends Sandbox {
  readonly report: TierReport;
  /** Resolves when the runners that are being started are ready. */
  settled(): Promise<void>;
}

/** Of the process, not of a sandbox: two sandboxes in one process must not give out the same users. */
const userSlots = new UserSlots(process.pid);

/** Fails with JailMissing, which says what to run, where no jail can be built. */
export async function createSandbox(options: SandboxOptions): Promise<JailedSandbox> {
  const unsafe = options.unsafeNoJail ?? false;
  const kit = await prepareJailKit(options, unsafe);
  try {
    // The first runners start while the probe runs; nobody gets one before the tier is known.
    const pool = new RunnerPool({
      runtime: options.runtime,
      kit,
      warmRunners: options.warmRunners ?? 2,
      runnersMax: options.runnersMax ?? limit("runnersMax"),
      memoryBytesMax: options.memoryBytesMax ?? limit("sandboxMemoryBytesMax"),
      ...(options.command === undefined ? {} : { command: options.command }),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    });
    const report = await inspectJail(kit);
    if (report.tier === 0 && !unsafe) {
      await pool.close();
      throw jailDoesNotStart([]);
    }
    if (report.tier < 2) pool.limitTenants(1);
    return new SandboxOfHost(pool, kit, report);
  } catch (error) {
    kit.cgroups?.close();
    throw error;
  }
}

/** What a jail of this host withstands. `plinth doctor` and `/healthz` show it. */
async function inspectJail(kit: JailKit): Promise<TierReport> {
  if (kit.unsafe) return withoutJail();
  const probes = await probeJail(kit);
  if (!probes.some((probe) => probe.name === "start" && probe.ok)) throw jailDoesNotStart(probes);
  return judgeTier({ probes, userPerJail: kit.slots !== undefined, cgroupVersion: kit.cgroups?.version });
}

async function prepareJailKit(options: SandboxOptions, unsafe: boolean): Promise<JailKit> {
  const tools = unsafe ? { bwrap: "", prlimit: "" } : findTools();
  const architecture = process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : undefined;
  if (architecture === undefined && !unsafe) throw plinthError("JailMissing", { detail: `there is no system call filter for ${process.arch}`, next: "Use a machine with an x64 or arm64 processor" });
  const image = await prepareRuntimeImage({
    program: withProbe(options.program ?? isolateProgram()),
    ...(options.imageFolder === undefined ? {} : { baseFolder: options.imageFolder }),
  });
  const isRoot = process.getuid?.() === 0;
  const suffix = Buffer.from(options.runtime.randomBytes(4)).toString("hex");
  const cgroups = unsafe ? undefined : findCgroups({ runtime: options.runtime, name: `host-${process.pid}-${suffix}`, processors: availableParallelism() });
  return {
    runtime: options.runtime,
    tools,
    image,
    filter: compileSeccompFilter(architecture ?? "x86_64", "jit"),
    unsafe,
    ...(isRoot && !unsafe ? { slots: userSlots } : {}),
    ...(cgroups === undefined ? {} : { cgroups }),
  };
}

/** The image holds the probe's script too, so that the probe runs in the very jail of the runners. */
function withProbe(program: RunnerProgram): RunnerProgram {
  return {
    key: async () => `${await program.key()} ${PROBE_SCRIPT}`,
    build: async (folder) => {
      await program.build(folder);
      await writeFile(join(folder, PROBE_FILE), PROBE_SCRIPT, { mode: 0o644 });
    },
  };
}

class SandboxOfHost implements JailedSandbox {
  readonly report: TierReport;
  readonly #pool: RunnerPool;
  readonly #kit: JailKit;

  constructor(pool: RunnerPool, kit: JailKit, report: TierReport) {
    this.#pool = pool;
    this.#kit = kit;
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
    this.#kit.cgroups?.close();
  }
}
