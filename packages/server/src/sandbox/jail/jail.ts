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
import type { Runtime } from "../../runtime/runtime.ts";
import type { RuntimeImage } from "./image.ts";
import { childrenOf, isAlive, startTicks } from "./process-stats.ts";
import { CONTROL_FD, FILTER_FD, jailCommand, type JailTools, type NodeCommand } from "./command.ts";
import type { CgroupFolder, Cgroups } from "./cgroup.ts";
import type { UserSlots } from "./slots.ts";

/** What all jails of a host share. */
export interface JailKit {
  readonly runtime: Runtime;
  readonly tools: JailTools;
  readonly image: RuntimeImage;
  readonly filter: Uint8Array;
  /** Absent when the host is an ordinary user: then the jail runs as that user. */
  readonly slots?: UserSlots;
  readonly cgroups?: Cgroups;
  /** No jail at all; only by an explicit setting. */
  readonly unsafe: boolean;
}

export interface JailExit {
  /** Exit code in the manner of a shell: 128 + signal for a signal. */
  readonly code: number;
  /** The memory group of the jail killed it. */
  readonly outOfMemory: boolean;
  /** The most memory that the jail had since its limit was set, where a memory group counted it. */
  readonly peakBytes?: number;
}

/** The end of a jail, by what its code says. */
export const EXIT_SIGSYS = 128 + 31;
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

export class Jail {
  readonly control: Socket;
  /** Resolves when nothing of the jail is left. */
  readonly exited: Promise<JailExit>;
  readonly #kit: JailKit;
  readonly #child: ChildProcess;
  readonly #user: number | undefined;
  readonly #cgroup: CgroupFolder | undefined;
  #output = "";
  #inside: { readonly pid: number; readonly start: string } | undefined;

  constructor(kit: JailKit, node: NodeCommand) {
    assert(isMainThread, "jails are started from the main thread (J2)");
    this.#kit = kit;
    this.#user = kit.slots?.take();
    this.#cgroup = kit.cgroups?.create();
    try {
      this.#child = start(kit, node, this.#user);
      this.control = socketOf(this.#child, CONTROL_FD);
    } catch (error) {
      this.#giveBack();
      throw error;
    }
    kit.image.used(kit.runtime.nowMs());
    this.#cgroup?.add(this.#child.pid);
    this.#preferForOom();
    if (!kit.unsafe) this.#giveFilter(socketOf(this.#child, FILTER_FD));
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
    return this.#output;
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
        this.#cgroup?.add(pid);
      }
    }
    return this.#inside?.pid;
  }

  /**
   * Limits the data of the running process to what it has and `budgetBytes` more. The process inside has
   * the user of the jail, so the limit is set as that user: root may lack the capability for others.
   */
  async limitMemory(dataBytesMax: number): Promise<boolean> {
    const pid = this.insidePid();
    if (pid === undefined) return false;
    this.#cgroup?.limitMemory(limit("runnerMemoryBytesMax") + limit("runnerIdleBytes"));
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

  /** Ends the jail and everything in it, without asking. */
  kill(): void {
    this.insidePid();
    this.#child.kill("SIGKILL");
    this.control.destroy();
  }

  #giveFilter(pipe: Socket): void {
    pipe.on("error", () => undefined); // a bwrap that could not start shows in its exit
    pipe.end(this.#kit.filter);
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
    // Read to the end even when nothing more is kept: a full pipe would block the jail.
    source.on("data", (text: string) => {
      const free = limit("runnerOutputBytesMax") - this.#output.length;
      if (free > 0) this.#output += text.slice(0, free);
    });
  }

  async #watchExit(): Promise<JailExit> {
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

function start(kit: JailKit, node: NodeCommand, user: number | undefined): ChildProcess {
  const [program = "", ...args] = kit.unsafe
    ? unsafeCommand(kit, node)
    : jailCommand({ tools: kit.tools, image: kit.image, node, ownUser: user !== undefined });
  return spawn(program, args, {
    cwd: "/",
    env: {},
    // A session of its own: Ctrl-C in the host's terminal is for the host, which lets calls finish.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", ...(kit.unsafe ? [] : (["pipe"] as const))],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
}

function unsafeCommand(kit: JailKit, node: NodeCommand): readonly string[] {
  // Without a jail the image lies where it lies, so paths of the jail become paths of the host.
  const toHost = (text: string): string => text.replace(/(^|=)\/app(?=\/|$)/, (_, before: string) => before + kit.image.appFolder);
  return [kit.image.nodeFile, ...node.flags.map(toHost), toHost(node.script)];
}

function socketOf(child: ChildProcess, fd: number): Socket {
  const stream = child.stdio[fd];
  assert(stream instanceof Socket, "extra pipes of a child are sockets");
  return stream;
}
