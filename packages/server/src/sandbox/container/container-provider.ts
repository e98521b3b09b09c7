/**
 * The provider of containers: a cell is a container of a Docker-compatible engine, run by the OCI runtime that the engine was
 * told to use (runc, or gVisor's runsc).
 *
 * L2 holds three times over: a program ends with its input, the reaper ends containers whose host is gone, and a host that starts
 * ends what an earlier one left.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { prepareSharedFolder, sharedBaseFolder } from "../jail/image.ts";
import { startTicks } from "../jail/process-stats.ts";
import type { CellsReport } from "../jail/tiers.ts";
import type { Cell, CellSpec, SandboxProvider } from "../provider.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { ContainerCell, type ContainerKit } from "./container-cell.ts";
import { containerBody } from "./container-spec.ts";
import { DockerApi, EngineRefusal, engineUnusable, parseEngineAddress } from "./docker-api.ts";
import { ContainerImages } from "./images.ts";
import type { EngineInfo, EngineVersion } from "./parse-docker.ts";
import { probeContainer } from "./probe.ts";
import { seccompProfile } from "./seccomp-profile.ts";

const RUNTIMES: ReadonlySet<RuntimeName> = new Set<RuntimeName>(["node", "python", "wasm"]);

/** Whose containers: of this data folder on this machine. */
const HOME_LABEL = "plinth.home";
/** Of one provider of one process. */
const HOST_LABEL = "plinth.host";
/** The process, so that a later host can tell whether it is gone. */
const PROCESS_LABEL = "plinth.process";

export interface ContainerProviderOptions {
  readonly runtime: Runtime;
  /** `unix:///path` or `tcp://host:port`. */
  readonly engine: string;
  /** Name of the OCI runtime; what the engine takes by itself when absent. */
  readonly ociRuntime?: string;
  /** Containers that earlier hosts of this folder left are removed. */
  readonly dataDir: string;
  readonly imageFolder?: string;
}

export class ContainerProvider implements SandboxProvider {
  readonly name = "container";
  readonly runtimes = RUNTIMES;
  readonly countsMemory = true;
  readonly engine: EngineVersion & Pick<EngineInfo, "kernel"> & { readonly url: string };
  readonly ociRuntime: string;
  readonly #images: ContainerImages;
  readonly #kit: ContainerKit;
  readonly #prefix: string;
  readonly #cells = new Set<Cell>();
  readonly #reaper: ChildProcess;
  #started = 0;

  private constructor(parts: {
    readonly engine: ContainerProvider["engine"];
    readonly ociRuntime: string;
    readonly images: ContainerImages;
    readonly kit: ContainerKit;
    readonly prefix: string;
    readonly reaper: ChildProcess;
  }) {
    this.engine = parts.engine;
    this.ociRuntime = parts.ociRuntime;
    this.#images = parts.images;
    this.#kit = parts.kit;
    this.#prefix = parts.prefix;
    this.#reaper = parts.reaper;
  }

  /** Fails with BadConfiguration when the engine does not answer or has no such runtime. */
  static async open(options: ContainerProviderOptions): Promise<ContainerProvider> {
    const { runtime } = options;
    const api = new DockerApi({ address: parseEngineAddress(options.engine), runtime });
    try {
      const { version, info } = await askEngine(api, options.engine);
      const ociRuntime = chooseRuntime(version, info, options.ociRuntime);
      const ownKernel = hasOwnKernel(ociRuntime);
      const host = Buffer.from(runtime.randomBytes(6)).toString("hex");
      const home = await homeOf(options.dataDir);
      await sweepLeft(api, home);
      const labels = { [HOME_LABEL]: home, [HOST_LABEL]: host, [PROCESS_LABEL]: `${process.pid} ${startTicks(process.pid) ?? ""}` };
      const emptyFile = await sharedFile("", options.imageFolder);
      const images = new ContainerImages(api);
      const create = async (name: string, spec: CellSpec, again = false): Promise<void> => {
        const image = await images.ready(spec.image);
        const { processors } = info;
        const engine = version.kind;
        const profile = ownKernel ? undefined : seccompProfile(spec);
        const seccomp = engine === "docker" || profile === undefined ? profile : await sharedFile(profile, options.imageFolder);
        const body = containerBody({ seccomp, spec, image, engine, runtime: options.ociRuntime, ownKernel, labels, emptyFile, processors });
        try {
          await api.create(name, body);
        } catch (error) {
          // Another host, or an operator, removed the image.
          if (again || !(error instanceof EngineRefusal) || error.status !== 404) throw error;
          images.forget(spec.image);
          await create(name, spec, true);
        }
      };
      return new ContainerProvider({
        engine: { ...version, kernel: info.kernel, url: options.engine },
        ociRuntime,
        images,
        // Behind a kernel of its own, or on another machine, the process that the engine names tells nothing of the program.
        kit: { api, runtime, create, seesProcesses: api.address.kind === "unix" && !ownKernel },
        prefix: `plinth-${host}`,
        reaper: startReaper(options.engine, `${HOST_LABEL}=${host}`),
      });
    } catch (error) {
      api.close();
      throw error;
    }
  }

  /** Gives the engine the image, so that the first start does not wait for it. */
  async prepare(image: ProgramImage): Promise<void> {
    await this.#images.ready(image);
  }

  async inspect(image: ProgramImage): Promise<CellsReport> {
    await this.prepare(image);
    const ownKernel = hasOwnKernel(this.ociRuntime);
    const { kernel, layers, problem } = await probeContainer({
      start: (spec) => this.start(spec),
      image,
      runtime: this.#kit.runtime,
      ownKernel,
    });
    const { kind, version } = this.engine;
    const detail = `${kind} ${version} with ${basename(this.ociRuntime)}`;
    if (kernel === undefined) throw plinthError("BadConfiguration", { detail: `no container starts (${detail}: ${problem})` });
    // The name of a runtime is only a name; another kernel than the engine's shows what it is.
    const tier = layers.some(({ engaged }) => !engaged) ? 1 : ownKernel && kernel !== this.engine.kernel ? 4 : 3;
    return { provider: "container", tier, detail, layers };
  }

  start(spec: CellSpec): Cell {
    const cell = new ContainerCell(this.#kit, `${this.#prefix}-${++this.#started}`, spec);
    this.#cells.add(cell);
    void cell.exited.finally(() => this.#cells.delete(cell));
    return cell;
  }

  async close(): Promise<void> {
    const cells = [...this.#cells];
    for (const cell of cells) cell.kill();
    await Promise.all(cells.map((cell) => cell.exited));
    this.#kit.api.close();
    await endReaper(this.#reaper);
  }
}

/** Names of runtimes that put the program behind a kernel of its own. */
export function hasOwnKernel(ociRuntime: string): boolean {
  return /runsc|gvisor|kata|krun/i.test(basename(ociRuntime));
}

async function askEngine(api: DockerApi, url: string): Promise<{ readonly version: EngineVersion; readonly info: EngineInfo }> {
  try {
    const [version, info] = await Promise.all([api.version(), api.info()]);
    return { version, info };
  } catch (error) {
    throw engineUnusable(url, error);
  }
}

/** Docker is told the runtime with each container; podman's service has one, which must be the one that was asked for. */
function chooseRuntime(version: EngineVersion, info: EngineInfo, wanted: string | undefined): string {
  if (wanted === undefined) return info.defaultRuntime;
  if (version.kind === "docker" && !info.runtimes.includes(wanted))
    throw plinthError("BadConfiguration", {
      detail: `Docker knows no runtime '${wanted}', only ${info.runtimes.join(", ") || "none"}; add it to its daemon.json`,
    });
  if (version.kind === "podman" && info.defaultRuntime !== wanted && basename(info.defaultRuntime) !== basename(wanted))
    throw plinthError("BadConfiguration", {
      detail: `podman's service runs '${info.defaultRuntime}', not '${wanted}'; start it as \`podman --runtime ${wanted} system service\``,
    });
  return version.kind === "docker" ? wanted : info.defaultRuntime;
}

/** Ends containers of hosts of this folder that are gone. */
async function sweepLeft(api: DockerApi, home: string): Promise<void> {
  for (const { name, labels } of await api.list([`${HOME_LABEL}=${home}`])) {
    const [pid, start] = (labels[PROCESS_LABEL] ?? "").split(" ");
    if (start !== undefined && start !== "" && startTicks(Number(pid)) === start) continue;
    await api.remove(name).catch((error: unknown) => {
      if (!(error instanceof EngineRefusal)) throw error;
    });
  }
}

async function homeOf(dataDir: string): Promise<string> {
  const machine = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return createHash("sha256")
    .update(JSON.stringify([machine.trim(), hostname(), resolve(dataDir)]))
    .digest("hex")
    .slice(0, 32);
}

/** A file with this content, which the engine can reach. */
async function sharedFile(content: string, imageFolder: string | undefined): Promise<string> {
  const folder = await prepareSharedFolder({
    base: imageFolder ?? (await sharedBaseFolder()),
    name: "file",
    key: `file ${content}`,
    fill: async (into) => {
      await writeFile(join(into, "file"), content);
      await chmod(join(into, "file"), 0o644);
    },
  });
  return join(folder, "content", "file");
}

function startReaper(engine: string, label: string): ChildProcess {
  // A session of its own: what ends the host's terminal or group must leave it to its work.
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "reaper.ts"), engine, label], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined); // the other two means against containers that stay are left
  child.stdin?.on("error", () => undefined);
  child.unref();
  return child;
}

async function endReaper(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((done) => child.on("exit", done));
  child.ref();
  child.stdin?.end("done");
  await exited;
}
