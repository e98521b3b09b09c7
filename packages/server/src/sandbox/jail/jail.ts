/**
 * A jail: one process that can do nothing but talk over its control socket. This file starts and ends
 * jails; what runs inside is any script for node.
 *
 * Invariants:
 * - J1: no jail runs as the user of a host that is root, and no two jails of such a host share a user.
 * - J2: a jail ends with its host, also when the host is killed (bubblewrap's --die-with-parent; the
 *   kernel binds that to the thread that starts the jail, so only the main thread may).
 * - J3: when `exited` resolves, no process of the jail is left.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import type { Readable } from "node:stream";
import { limit } from "@plinth/core/limits.ts";
import { assert, must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { PACKAGE_FOLDER } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Cell, CellExit, CellSpec } from "../provider.ts";
import { OUTPUT_PAUSE_MS, PrintedOutput } from "../printed-output.ts";
import { childrenOf, dataBytes, isAlive, startTicks } from "./process-stats.ts";
import { CONTROL_FD, FILTER_FD, jailCommand, type JailTools } from "./command.ts";
import type { CgroupFolder, Cgroups } from "./cgroup.ts";
import type { FilterKind } from "./seccomp.ts";
import type { TenantWeights } from "./tenant-weights.ts";
import type { UserSlots } from "./slots.ts";

/** What all jails of a host share. */
export interface JailKit {
  readonly runtime: Runtime;
  readonly tools: JailTools;
  readonly filter: (kind: FilterKind) => Uint8Array;
  /** Absent when the host is an ordinary user: then the jail runs as that user. */
  readonly slots?: UserSlots;
  readonly cgroups?: Cgroups;
  /** No jail at all; only by an explicit setting. */
  readonly unsafe: boolean;
}

const KILL_CHECK_MS = 5;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGABRT: 6,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGSYS: 31,
  SIGTERM: 15,
  SIGXCPU: 24,
};

export class Jail implements Cell {
  readonly control: Socket;
  /** Resolves when nothing of the jail is left. */
  readonly exited: Promise<CellExit>;
  readonly #kit: JailKit;
  readonly #weights: TenantWeights | undefined;
  readonly #spec: CellSpec;
  readonly #child: ChildProcess;
  readonly #user: number | undefined;
  readonly #cgroup: CgroupFolder | undefined;
  #grouped: Promise<unknown>;
  readonly #output = new PrintedOutput();
  #inside: { readonly pid: number; readonly start: string } | undefined;

  constructor(kit: JailKit, spec: CellSpec, weights?: TenantWeights) {
    assert(isMainThread, "jails are started from the main thread (J2)");
    assertPossible(kit, spec);
    this.#kit = kit;
    this.#weights = weights;
    this.#spec = spec;
    this.#user = kit.slots?.take();
    this.#cgroup = kit.cgroups?.create();
    try {
      this.#child = start(kit, spec, this.#user);
      this.control = socketOf(this.#child, CONTROL_FD);
    } catch (error) {
      this.#giveBack();
      throw error;
    }
    spec.image.used(kit.runtime.nowMs());
    this.#preferForOom();
    // bubblewrap reads the filter before it starts the process inside, which so is born into the group.
    this.#grouped = this.#cgroup?.add(this.#child.pid) ?? Promise.resolve();
    if (!kit.unsafe) this.#giveFilter(socketOf(this.#child, FILTER_FD), this.#grouped);
    this.#readOutput(this.#child.stdout);
    this.#readOutput(this.#child.stderr);
    this.exited = this.#watchExit();
  }

  /** The process on the host that holds the namespaces; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the jail wrote to standard output and error, cut. Hostile text, for diagnosis only. */
  get output(): string {
    return this.#output.text;
  }

  /**
   * The process inside, by its number on the host. It exists from shortly after the start on; ask when
   * the first frame has arrived.
   */
  insidePid(): number | undefined {
    if (this.#inside === undefined && this.#child.pid !== undefined) {
      const pid = this.#kit.unsafe ? this.#child.pid : childrenOf(this.#child.pid)[0];
      const start = pid === undefined ? undefined : startTicks(pid);
      if (pid !== undefined && start !== undefined) {
        this.#inside = { pid, start };
        this.#grouped = Promise.all([this.#grouped, this.#cgroup?.add(pid)]);
      }
    }
    return this.#inside?.pid;
  }

  /**
   * Limits the data of the running process to what it has and what the cell may have more: the sizes of a ready
   * program differ between builds of its engine. The process inside has the user of the jail, so the limit is
   * set as that user: root may lack the capability for others.
   */
  async limitMemory(): Promise<boolean> {
    if (this.#kit.unsafe) return true;
    const pid = this.insidePid();
    const bytes = pid === undefined ? undefined : dataBytes(pid);
    if (pid === undefined || bytes === undefined) return false;
    await this.#grouped;
    const { memoryBytesMax, scratchBytes, image } = this.#spec;
    this.#cgroup?.limitMemory(memoryBytesMax + scratchBytes + limit("runnerIdleBytes"));
    const dataBytesMax = bytes + memoryBytesMax + (image.addressBytes ?? 0);
    const args = [`--pid=${pid}`, `--data=${dataBytesMax}`, `--nproc=${limit("runnerThreadsMax")}`];
    const setter = spawn(this.#kit.tools.prlimit, args, {
      cwd: "/",
      env: {},
      stdio: "ignore",
      ...(this.#user === undefined ? {} : { uid: this.#user, gid: this.#user }),
    });
    return new Promise((resolve) => {
      setter.on("error", () => resolve(false));
      setter.on("exit", (code) => resolve(code === 0));
    });
  }

  serve(tenant: string): void {
    const group = this.#cgroup;
    if (group === undefined) return;
    const gone = this.#weights?.add(tenant, group);
    if (gone !== undefined) void this.exited.then(gone);
  }

  /** Ends the jail and everything in it, without asking. */
  kill(): void {
    this.insidePid();
    this.#child.kill("SIGKILL");
    this.control.destroy();
  }

  #giveFilter(pipe: Socket, after: Promise<unknown>): void {
    pipe.on("error", () => undefined); // a bwrap that could not start shows in its exit
    const filter = this.#kit.filter({ profile: this.#spec.image.profile, scratch: this.#spec.scratchBytes > 0 });
    void after.then(() => pipe.end(filter));
  }

  /** When the machine runs out of memory, jails go before the host. */
  #preferForOom(): void {
    if (this.#child.pid === undefined) return;
    try {
      writeFileSync(`/proc/${this.#child.pid}/oom_score_adj`, "500");
    } catch {
      // The process may be gone already; its exit is seen elsewhere.
    }
  }

  #readOutput(stream: Readable | null): void {
    const source = must(stream, "the output of a jail is a pipe");
    source.setEncoding("latin1");
    source.on("error", () => undefined);
    source.on("data", (text: string) => {
      if (this.#output.add(text)) void this.#rest(source);
    });
  }

  async #rest(source: Readable): Promise<void> {
    source.pause();
    await this.#kit.runtime.sleep(OUTPUT_PAUSE_MS);
    source.resume();
  }

  async #watchExit(): Promise<CellExit> {
    const code = await new Promise<number>((resolve) => {
      this.#child.on("error", () => resolve(127));
      this.#child.on("exit", (exitCode, signal) => resolve(exitCode ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0)));
    });
    this.control.destroy();
    await this.#insideGone();
    const outOfMemory = this.#cgroup?.killedForMemory() ?? false;
    const peakBytes = this.#cgroup?.peakBytes();
    this.#giveBack();
    return { code, outOfMemory, ...(peakBytes === undefined ? {} : { peakBytes }) };
  }

  #giveBack(): void {
    this.#cgroup?.remove();
    if (this.#user !== undefined) this.#kit.slots?.free(this.#user);
  }

  /** bwrap's end kills what is inside; this waits for it, and makes sure. */
  async #insideGone(): Promise<void> {
    const inside = this.#inside;
    if (inside === undefined) return;
    while (isAlive(inside.pid) && startTicks(inside.pid) === inside.start) {
      try {
        process.kill(inside.pid, "SIGKILL");
      } catch {
        return;
      }
      await this.#kit.runtime.sleep(KILL_CHECK_MS);
    }
  }
}

/** Throws NotAvailable where the jails of this host cannot hold such a cell. */
function assertPossible(kit: JailKit, spec: CellSpec): void {
  // The files of a scratch folder take kernel memory besides their content, which nothing else bounds.
  if (spec.scratchBytes > 0 && kit.cgroups === undefined)
    throw plinthError("NotAvailable", {
      what: "A scratch folder (it needs control groups: run the host as root, or as a systemd service with Delegate=yes)",
    });
}

function start(kit: JailKit, spec: CellSpec, user: number | undefined): ChildProcess {
  const [program = "", ...args] = kit.unsafe ? unsafeCommand(spec) : jailCommand({ tools: kit.tools, spec, ownUser: user !== undefined });
  return spawn(program, args, {
    cwd: "/",
    env: kit.unsafe ? unsafeEnvironment(spec) : {},
    // A session of its own: Ctrl-C in the host's terminal is for the host, which lets calls finish.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", ...(kit.unsafe ? [] : (["pipe"] as const))],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
}

/** Without a jail everything lies where it lies, so paths of the cell become paths of the host. */
function unsafeCommand({ image, packageFolder }: CellSpec): readonly string[] {
  const mounts = [...image.mounts, ...(packageFolder === undefined ? [] : [{ source: packageFolder, target: PACKAGE_FOLDER }])];
  return image.command.map((text) => {
    const at = text.lastIndexOf("=/") + 1;
    const path = text.slice(at);
    const mount = mounts.find(({ target }) => path === target || path.startsWith(`${target}/`));
    return mount === undefined ? text : text.slice(0, at) + mount.source + path.slice(mount.target.length);
  });
}

/** Programs look for the package where this says, if it does. */
function unsafeEnvironment({ image, packageFolder }: CellSpec): Readonly<Record<string, string>> {
  return { ...image.environment, ...(packageFolder === undefined ? {} : { PLINTH_PACKAGE_FOLDER: packageFolder }) };
}

function socketOf(child: ChildProcess, fd: number): Socket {
  const stream = child.stdio[fd];
  assert(stream instanceof Socket, "extra pipes of a child are sockets");
  return stream;
}
