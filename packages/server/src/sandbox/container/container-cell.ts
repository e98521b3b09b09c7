/**
 * A cell that is a container: made, attached, started, watched, removed. Everything about it is asked for by its name, so that
 * what a request left half done is removed as well.
 */
import type { Runtime } from "../../runtime/runtime.ts";
import { startTicks } from "../jail/process-stats.ts";
import type { Cell, CellExit, CellSpec } from "../provider.ts";
import { OUTPUT_PAUSE_MS, PrintedOutput } from "../printed-output.ts";
import { AttachedChannel } from "./attached-channel.ts";
import { containerMemoryBytes } from "./container-spec.ts";
import type { DockerApi } from "./docker-api.ts";
import type { ContainerState } from "./parse-docker.ts";

const EXIT_KILLED = 128 + 9;
/** As engines answer when a container does not start. */
const EXIT_NOT_STARTED = 125;
const SETTLE_PAUSE_MS = 20;
const SETTLE_PAUSES = 100;
const REMOVE_PAUSES_MS = [0, 100, 500, 2000, 5000];

export interface ContainerKit {
  readonly api: DockerApi;
  readonly runtime: Runtime;
  /** Makes the container under this name, not started. */
  create(name: string, spec: CellSpec): Promise<void>;
  /** Whether numbers of processes that the engine gives are those of this machine and of what runs inside. */
  readonly seesProcesses: boolean;
}

export class ContainerCell implements Cell {
  readonly control: AttachedChannel;
  readonly exited: Promise<CellExit>;
  readonly #kit: ContainerKit;
  readonly #name: string;
  readonly #spec: CellSpec;
  readonly #killed = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<ContainerState | undefined>();
  #isKilled = false;
  readonly #output = new PrintedOutput();
  #inside: { readonly pid: number; readonly start: string } | undefined;

  constructor(kit: ContainerKit, name: string, spec: CellSpec) {
    this.#kit = kit;
    this.#name = name;
    this.#spec = spec;
    this.control = new AttachedChannel((bytes) => this.#print(bytes.toString("latin1")));
    this.control.on("error", () => undefined); // its end says as much
    this.exited = this.#run();
    spec.image.used(kit.runtime.nowMs());
  }

  get output(): string {
    return this.#output.text;
  }

  insidePid(): number | undefined {
    return this.#inside?.pid;
  }

  /** The engine limits a container from its start on; this makes sure that it was told to. */
  async limitMemory(): Promise<boolean> {
    const state = await this.#started.promise;
    return state !== undefined && state.memoryBytesMax === containerMemoryBytes(this.#spec);
  }

  kill(): void {
    this.#isKilled = true;
    this.#killed.resolve();
    this.control.destroy();
  }

  async #run(): Promise<CellExit> {
    const { api } = this.#kit;
    try {
      return await this.#live();
    } catch (error) {
      // Of the engine, not of the program; it says why in the same place.
      this.#print(error instanceof Error ? error.message : String(error));
      return { code: this.#isKilled ? EXIT_KILLED : EXIT_NOT_STARTED, outOfMemory: false };
    } finally {
      this.#started.resolve(undefined);
      await removeContainer(api, this.#kit.runtime, this.#name);
      this.control.finish();
    }
  }

  async #live(): Promise<CellExit> {
    const { api } = this.#kit;
    if (!this.#isKilled) await this.#kit.create(this.#name, this.#spec);
    if (!this.#isKilled) this.control.open(await api.attach(this.#name));
    if (!this.#isKilled) {
      await api.start(this.#name);
      const state = await api.inspect(this.#name);
      this.#noteProcess(state.pid);
      this.#started.resolve(state);
    }
    await Promise.race([this.control.ended, this.#killed.promise]);
    if (this.#isKilled) return { code: EXIT_KILLED, outOfMemory: false };
    const state = await this.#settled();
    // It ends by this signal when the kernel took it for want of memory; engines do not always notice.
    const outOfMemory = state.oomKilled || state.exitCode === EXIT_KILLED;
    return { code: state.running ? EXIT_KILLED : state.exitCode, outOfMemory: !state.running && outOfMemory };
  }

  /** The engine may need a moment to see that the program ended. */
  async #settled(): Promise<ContainerState> {
    for (let i = 0; ; i++) {
      const state = await this.#kit.api.inspect(this.#name);
      if (!state.running || i === SETTLE_PAUSES || this.#isKilled) return state;
      await this.#kit.runtime.sleep(SETTLE_PAUSE_MS);
    }
  }

  #noteProcess(pid: number): void {
    const start = this.#kit.seesProcesses && pid > 0 ? startTicks(pid) : undefined;
    if (start !== undefined) this.#inside = { pid, start };
  }

  #print(text: string): void {
    if (this.#output.add(text)) void this.control.rest(this.#kit.runtime.sleep(OUTPUT_PAUSE_MS));
  }
}

/** Removes a container; when the engine does not answer for long, what is left is for the sweep of the next start. */
async function removeContainer(api: DockerApi, runtime: Runtime, name: string): Promise<void> {
  for (const pauseMs of REMOVE_PAUSES_MS) {
    if (pauseMs > 0) await runtime.sleep(pauseMs);
    try {
      return await api.remove(name);
    } catch {
      // Tried again: another request for the same container may be under way.
    }
  }
}
