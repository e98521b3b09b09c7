/** What a container is made of: the body of `POST /containers/create` for a cell. Pure. */
import { limit } from "@plinth/core/limits.ts";
import { PACKAGE_FOLDER, SCRATCH_FOLDER } from "@plinth/core/protocol/runner-protocol.ts";
import type { CellSpec } from "../provider.ts";

/** Inside the container everybody is "nobody". */
const NOBODY = "65534:65534";

/**
 * The control channel is the container's standard input and output, which programs know as descriptors 3 and 4; what user code
 * prints goes to standard error, so it cannot come between frames. The engine's own variables are removed.
 */
const ENTRY = 'unset HOME HOSTNAME TERM container PWD OLDPWD; exec 3<&0 4>&1 </dev/null 1>&2; exec "$@"';
export const SHELL_IN_CELL = "/bin/sh";

/** Folders that podman makes writable in every container. */
const KEPT_READ_ONLY = ["/tmp", "/run", "/var/tmp"];

export interface ContainerOptions {
  readonly spec: CellSpec;
  /** `repository:tag` of the image. */
  readonly image: string;
  readonly engine: "docker" | "podman";
  /** For Docker; podman's service has one runtime for all. */
  readonly runtime: string | undefined;
  /** The program has a kernel of its own, whose threads and memory count as the container's. */
  readonly ownKernel: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** An empty file that the engine can reach: it hides what the engine writes of the host's names and addresses. */
  readonly emptyFile: string;
  readonly processors: number;
  /** Profile of system calls: for Docker itself, for podman the path of its file; the engine's own when absent. */
  readonly seccomp: string | undefined;
}

export function containerBody(options: ContainerOptions): Readonly<Record<string, unknown>> {
  const { spec, engine } = options;
  return {
    Image: options.image,
    Entrypoint: [SHELL_IN_CELL, "-c", ENTRY, SHELL_IN_CELL],
    Cmd: [...spec.image.command, "--control=3,4"],
    User: NOBODY,
    WorkingDir: "/",
    Hostname: "runner",
    Env: Object.entries(environmentOf(spec)).map(([name, value]) => `${name}=${value}`),
    Labels: options.labels,
    // The input ends when the host's connection does, so a container does not outlive its host.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    NetworkDisabled: true,
    StopSignal: "SIGKILL",
    HostConfig: {
      ...(engine === "docker" && options.runtime !== undefined ? { Runtime: options.runtime } : {}),
      NetworkMode: "none",
      IpcMode: "none",
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", ...(options.seccomp === undefined ? [] : [`seccomp=${options.seccomp}`])],
      PidsLimit: limit("runnerThreadsMax") + (options.ownKernel ? limit("containerKernelThreadsMax") : 0),
      Memory: containerMemoryBytes(spec),
      MemorySwap: containerMemoryBytes(spec),
      NanoCpus: Math.min(options.processors, limit("containerProcessorsMax")) * 1e9,
      OomScoreAdj: 500,
      Ulimits: limitsOf(spec),
      Binds: bindsOf(options),
      Tmpfs: tmpfsOf(options),
      Dns: ["127.0.0.1"],
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
    },
  };
}

/** What the program has when it is ready, and what the cell may have beyond that. */
export function containerMemoryBytes({ memoryBytesMax, scratchBytes }: CellSpec): number {
  return memoryBytesMax + scratchBytes + limit("containerBaseBytes");
}

function environmentOf({ image, scratchBytes }: CellSpec): Readonly<Record<string, string>> {
  return { PATH: "/usr/bin", LANG: "C.UTF-8", TZ: "UTC", ...(scratchBytes > 0 ? { TMPDIR: SCRATCH_FOLDER } : {}), ...image.environment };
}

function limitsOf({ scratchBytes }: CellSpec): readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] {
  const values = {
    nofile: limit("runnerFilesMax"),
    // Counted for the user over all containers; each one's own processes are bounded by its control group.
    nproc: limit("containerUserThreadsMax"),
    core: 0,
    fsize: scratchBytes,
    memlock: 65_536,
  };
  return Object.entries(values).map(([Name, value]) => ({ Name, Soft: value, Hard: value }));
}

function bindsOf({ spec, emptyFile }: ContainerOptions): readonly string[] {
  const hidden = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"].map((file) => `${emptyFile}:${file}:ro`);
  return spec.packageFolder === undefined ? hidden : [...hidden, `${spec.packageFolder}:${PACKAGE_FOLDER}:ro`];
}

function tmpfsOf({ spec, engine }: ContainerOptions): Readonly<Record<string, string>> {
  const closed = Object.fromEntries(KEPT_READ_ONLY.map((folder) => [folder, "ro,size=4k,nosuid,nodev,noexec"]));
  if (spec.scratchBytes === 0) return closed;
  // Podman knows no bound for files by number; there the memory of the container bounds what they take.
  const inodes = engine === "docker" ? `,nr_inodes=${limit("scratchFilesMax")}` : "";
  return { ...closed, [SCRATCH_FOLDER]: `rw,size=${spec.scratchBytes},mode=1777,nosuid,nodev,noexec${inodes}` };
}
