/**
 * The command line of a jail: `prlimit` sets the limits, `bwrap` makes the namespaces and an almost empty
 * file system, then the program of the image runs. No shell and no environment take part.
 */
import { limit } from "@plinth/core/limits.ts";
import { PACKAGE_FOLDER, SCRATCH_FOLDER } from "@plinth/core/protocol/runner-protocol.ts";
import type { CellSpec } from "../provider.ts";

/** Number of the control socket in the jail. */
export const CONTROL_FD = 3;
/** Where bubblewrap reads the filter; it closes it before it starts the program. */
export const FILTER_FD = 4;

/** Inside the jail everybody is "nobody". */
const JAILED_ID = "65534";

export interface JailTools {
  readonly bwrap: string;
  readonly prlimit: string;
}

/** The whole command, beginning with prlimit. */
export function jailCommand(options: {
  readonly tools: JailTools;
  readonly spec: CellSpec;
  /** Limit of processes of the user; only where the jail has a user of its own. */
  readonly ownUser: boolean;
}): readonly string[] {
  const { image, packageFolder, scratchBytes } = options.spec;
  const environment = {
    PATH: "/usr/bin",
    LANG: "C.UTF-8",
    TZ: "UTC",
    ...(scratchBytes > 0 ? { TMPDIR: SCRATCH_FOLDER } : {}),
    ...image.environment,
  };
  return [
    [options.tools.prlimit, "--core=0", `--fsize=${scratchBytes}`, "--memlock=65536", `--nofile=${limit("runnerFilesMax")}`],
    options.ownUser ? [`--nproc=${limit("runnerThreadsMax")}`] : [],
    ["--", options.tools.bwrap],
    ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup", "--disable-userns"],
    ["--uid", JAILED_ID, "--gid", JAILED_ID, "--hostname", "runner"],
    ["--clearenv", ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value])],
    ["--die-with-parent", "--new-session", "--as-pid-1"],
    image.mounts.flatMap(({ source, target }) => ["--ro-bind", source, target]),
    packageFolder === undefined ? [] : ["--ro-bind", packageFolder, PACKAGE_FOLDER],
    scratchBytes > 0 ? ["--size", String(scratchBytes), "--tmpfs", SCRATCH_FOLDER] : [],
    ["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
    // Last of the mounts: what comes after it could not be made any more.
    ["--chdir", "/", "--remount-ro", "/"],
    ["--add-seccomp-fd", String(FILTER_FD)],
    ["--", ...image.command],
  ].flat();
}
