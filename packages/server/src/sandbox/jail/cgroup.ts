/**
 * Control groups: where the host may make some, each jail gets one that bounds its memory, its number of
 * processes and its share of the CPU, and that counts kernel memory, which limits of processes do not.
 *
 * Version 2 is used where the host's own group is delegated to it; version 1 where the host may make
 * groups at the root of the hierarchy, as container engines do, unless the host's own group has a
 * memory limit, which jails must not escape.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** Makes a group for each jail. */
export interface Cgroups {
  readonly version: 1 | 2;
  create(): CgroupFolder;
  /** Removes what is left of the host's groups; every jail is gone by then. */
  close(): Promise<void>;
}

/** The group of one jail. Failures leave the other limits in force, so none is an error. */
export interface CgroupFolder {
  /** Resolves when the process is in the group. The kernel takes milliseconds for it, so the host's thread does not wait. */
  add(pid: number | undefined): Promise<void>;
  limitMemory(bytes: number): void;
  /** Its weight beside the other jails of the host, when all want the processor: 1 is what a jail has by default. */
  weigh(part: number): void;
  killedForMemory(): boolean;
  peakBytes(): number | undefined;
  /** Removes the group in the background: the kernel may take a while to let go of it. */
  remove(): void;
}

const V1_CONTROLLERS = ["memory", "pids", "cpu"] as const;
const UNLIMITED_FROM = 2 ** 62;
const CPU_PERIOD_US = 100_000;
const REMOVE_PAUSES_MS = [2, 5, 10, 20, 50, 100, 200, 400, 800, 1600];

/** The groups that this host can have, or undefined. `root` is `/sys/fs/cgroup`. */
export function findCgroups(options: {
  readonly runtime: Runtime;
  readonly root?: string;
  readonly name: string;
  readonly processors: number;
}): Cgroups | undefined {
  const root = options.root ?? "/sys/fs/cgroup";
  const own = ownGroups();
  return findV2(options, root, own) ?? findV1(options, root, own);
}

type Options = Parameters<typeof findCgroups>[0];

function findV2(options: Options, root: string, own: ReadonlyMap<string, string>): Cgroups | undefined {
  const path = own.get("");
  if (path === undefined) return undefined;
  const folder = join(root, path);
  const controllers = read(join(folder, "cgroup.controllers"))?.trim().split(" ") ?? [];
  if (!["memory", "pids"].every((name) => controllers.includes(name))) return undefined;
  const parent = join(folder, options.name);
  const enable = ["memory", "pids", "cpu"].filter((name) => controllers.includes(name)).map((name) => `+${name}`);
  try {
    // Groups with processes may not have controlled children, so the host moves into a leaf of its own.
    mkdirSync(join(folder, `${options.name}-host`));
    writeFileSync(join(folder, `${options.name}-host`, "cgroup.procs"), String(process.pid));
    writeFileSync(join(folder, "cgroup.subtree_control"), enable.join(" "));
    mkdirSync(parent);
    writeFileSync(join(parent, "cgroup.subtree_control"), enable.join(" "));
  } catch {
    tryWrite(join(folder, "cgroup.procs"), String(process.pid));
    tryRemove(parent);
    tryRemove(join(folder, `${options.name}-host`));
    return undefined;
  }
  return new HostGroups(options, 2, [parent], [join(folder, `${options.name}-host`)]);
}

function findV1(options: Options, root: string, own: ReadonlyMap<string, string>): Cgroups | undefined {
  if (!V1_CONTROLLERS.every((name) => existsSync(join(root, name, "cgroup.procs")))) return undefined;
  const parents = V1_CONTROLLERS.map((name) => {
    const limited = name === "memory" && isLimited(join(root, name), own.get(name) ?? "/");
    return join(root, name, limited ? (own.get(name) ?? "/") : "/", "plinth", options.name);
  });
  try {
    for (const parent of parents) mkdirSync(parent, { recursive: true });
  } catch {
    for (const parent of parents) tryRemove(parent);
    return undefined;
  }
  for (const parent of parents) sweep(join(parent, ".."));
  return new HostGroups(options, 1, parents, []);
}

/** Whether the group or one above it has a memory limit. */
function isLimited(root: string, path: string): boolean {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.some((_, index) => {
    const value = Number(read(join(root, ...parts.slice(0, index + 1), "memory.limit_in_bytes")));
    return Number.isFinite(value) && value < UNLIMITED_FROM;
  });
}

/** Removes what hosts left that were killed. A group with processes cannot be removed, so none is lost. */
function sweep(folder: string): void {
  for (const host of readFolder(folder)) {
    const pid = Number(/^host-(\d+)-/.exec(host)?.[1]);
    if (!Number.isInteger(pid) || existsSync(`/proc/${pid}`)) continue;
    for (const jail of readFolder(join(folder, host))) tryRemove(join(folder, host, jail));
    tryRemove(join(folder, host));
  }
}

class HostGroups implements Cgroups {
  readonly version: 1 | 2;
  readonly #options: Options;
  readonly #parents: readonly string[];
  readonly #others: readonly string[];
  readonly #removing = new Set<Promise<void>>();
  #created = 0;

  constructor(options: Options, version: 1 | 2, parents: readonly string[], others: readonly string[]) {
    this.#options = options;
    this.version = version;
    this.#parents = parents;
    this.#others = others;
  }

  create(): CgroupFolder {
    const name = `jail-${++this.#created}`;
    return new JailGroup(
      this.#options,
      this.version,
      this.#parents.map((parent) => join(parent, name)),
      (removed) => {
        this.#removing.add(removed);
        void removed.then(() => this.#removing.delete(removed));
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#removing);
    for (const folder of [...this.#parents, ...this.#others]) tryRemove(folder);
  }
}

class JailGroup implements CgroupFolder {
  readonly #runtime: Runtime;
  readonly #version: 1 | 2;
  readonly #folders: readonly string[];
  readonly #onRemoving: (removed: Promise<void>) => void;

  constructor(options: Options, version: 1 | 2, folders: readonly string[], onRemoving: (removed: Promise<void>) => void) {
    this.#runtime = options.runtime;
    this.#onRemoving = onRemoving;
    this.#version = version;
    this.#folders = folders;
    for (const folder of folders) {
      try {
        mkdirSync(folder);
      } catch {
        continue;
      }
      tryWrite(join(folder, "pids.max"), String(limit("runnerThreadsMax")));
      // One jail never takes the last processor from the host and the other jails.
      const quota = Math.max(1, options.processors - 0.5) * CPU_PERIOD_US;
      if (version === 2) tryWrite(join(folder, "cpu.max"), `${quota} ${CPU_PERIOD_US}`);
      else if (existsSync(join(folder, "cpu.cfs_quota_us"))) tryWrite(join(folder, "cpu.cfs_quota_us"), String(quota));
    }
  }

  async add(pid: number | undefined): Promise<void> {
    if (pid === undefined || this.#holds(pid)) return;
    // The other limits hold where it fails, see CgroupFolder. The process may be gone already.
    await Promise.allSettled(this.#folders.map((folder) => writeFile(join(folder, "cgroup.procs"), String(pid), { flag: "r+" })));
  }

  /** Processes are born into the groups of their parent. */
  #holds(pid: number): boolean {
    const [folder = ""] = this.#folders;
    const end = `/${basename(dirname(folder))}/${basename(folder)}`;
    const lines = (read(`/proc/${pid}/cgroup`) ?? "").split("\n");
    return lines.filter((line) => line.endsWith(end)).length >= this.#folders.length;
  }

  limitMemory(bytes: number): void {
    const [folder = ""] = this.#folders;
    if (this.#version === 2) {
      tryWrite(join(folder, "memory.swap.max"), "0");
      tryWrite(join(folder, "memory.oom.group"), "1");
      tryWrite(join(folder, "memory.max"), String(bytes));
    } else {
      tryWrite(join(folder, "memory.limit_in_bytes"), String(bytes));
      tryWrite(join(folder, "memory.memsw.limit_in_bytes"), String(bytes));
    }
  }

  weigh(part: number): void {
    const [name, whole, least] = this.#version === 2 ? (["cpu.weight", 100, 1] as const) : (["cpu.shares", 1024, 2] as const);
    const value = String(Math.max(least, Math.round(whole * part)));
    for (const folder of this.#folders) tryWrite(join(folder, name), value);
  }

  killedForMemory(): boolean {
    const [folder = ""] = this.#folders;
    const text = read(join(folder, this.#version === 2 ? "memory.events" : "memory.oom_control")) ?? "";
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0;
  }

  peakBytes(): number | undefined {
    const [folder = ""] = this.#folders;
    const text = read(join(folder, this.#version === 2 ? "memory.peak" : "memory.max_usage_in_bytes"));
    return text === undefined ? undefined : Number(text);
  }

  remove(): void {
    this.#onRemoving(this.#removeAll());
  }

  async #removeAll(): Promise<void> {
    // The kernel takes processes out of their group a moment after they died, on a busy machine a long one.
    for (const pauseMs of REMOVE_PAUSES_MS) {
      for (const folder of this.#folders) tryRemove(folder);
      if (!this.#folders.some((folder) => existsSync(folder))) return;
      await this.#runtime.sleep(pauseMs);
    }
  }
}

/** Controller → path of this process's group; the key "" is version 2. */
function ownGroups(): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) groups.set(controller, path);
  }
  return groups;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Writes an existing control file; appending never creates one. */
function tryWrite(path: string, text: string): void {
  try {
    if (existsSync(path)) appendFileSync(path, text);
  } catch {
    // See CgroupFolder: the other limits hold.
  }
}

function tryRemove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is gone already, or busy: then `remove` tries again.
  }
}
