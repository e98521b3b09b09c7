/**
 * The command line of a jail: `prlimit` sets the limits, `bwrap` makes the namespaces and an almost empty
 * file system, then node runs one script. No shell and no environment take part.
 */
import { limit } from "@plinth/core/limits.ts";
import type { RuntimeImage } from "./image.ts";

/** Number of the control socket in the jail. */
export const CONTROL_FD = 3;
/** Where bubblewrap reads the filter; it closes it before it starts node. */
export const FILTER_FD = 4;

/** Inside the jail everybody is "nobody". */
const JAILED_ID = "65534";

export interface NodeCommand {
  /** Path in the jail. */
  readonly script: string;
  readonly flags: readonly string[];
}

export interface JailTools {
  readonly bwrap: string;
  readonly prlimit: string;
}

/** Flags of a runner. Node's own permissions are hygiene; the jail is the boundary. */
export const RUNNER_FLAGS: readonly string[] = [
  "--no-node-snapshot", // isolated-vm asks for it
  "--no-experimental-ffi",
  "--disable-sigusr1",
  "--disable-proto=delete",
  "--permission",
  "--allow-addons",
  "--allow-fs-read=/app",
  "--disable-warning=PERM0001",
  `--max-old-space-size=${Math.floor(limit("runnerBaseHeapBytesMax") / (1024 * 1024))}`,
  // Of the runner's own heap: it holds frames, which live for moments. The runner sizes its isolates itself.
  "--max-semi-space-size=2",
  "--v8-pool-size=1",
];

/** The whole command, beginning with prlimit. */
export function jailCommand(options: {
  readonly tools: JailTools;
  readonly image: RuntimeImage;
  readonly node: NodeCommand;
  /** Limit of processes of the user; only where the jail has a user of its own. */
  readonly ownUser: boolean;
}): readonly string[] {
  const { image } = options;
  return [
    [options.tools.prlimit, "--core=0", "--fsize=0", "--memlock=65536", `--nofile=${limit("runnerFilesMax")}`],
    options.ownUser ? [`--nproc=${limit("runnerThreadsMax")}`] : [],
    ["--", options.tools.bwrap],
    ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup", "--disable-userns"],
    ["--uid", JAILED_ID, "--gid", JAILED_ID, "--hostname", "runner"],
    ["--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "LANG", "C.UTF-8", "--setenv", "TZ", "UTC"],
    ["--die-with-parent", "--new-session", "--as-pid-1"],
    ["--ro-bind", image.nodeFile, "/usr/bin/node"],
    image.libraries.flatMap((library) => ["--ro-bind", library.source, library.target]),
    ["--ro-bind", image.appFolder, "/app"],
    ["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
    // Last of the mounts: what comes after it could not be made any more.
    ["--chdir", "/", "--remount-ro", "/"],
    ["--add-seccomp-fd", String(FILTER_FD)],
    ["--", "/usr/bin/node", ...options.node.flags, options.node.script],
  ].flat();
}
