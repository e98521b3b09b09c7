/** Finds what a jail needs on this machine, and says exactly what to do where it is missing. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import type { JailTools } from "./command.ts";
import type { ProbeResult } from "./probe.ts";

/** Only system folders: a tool from a folder that a user can write would undo the jail. */
const TOOL_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"];

export function findTools(folders: readonly string[] = TOOL_FOLDERS): JailTools {
  const bwrap = findTool("bwrap", folders);
  const prlimit = findTool("prlimit", folders);
  if (bwrap === undefined)
    throw plinthError("JailMissing", { detail: "bubblewrap is not installed", next: "Run: sudo apt-get install bubblewrap" });
  if (prlimit === undefined)
    throw plinthError("JailMissing", { detail: "prlimit is not installed", next: "Run: sudo apt-get install util-linux" });
  return { bwrap, prlimit };
}

/** What to tell when the tools are there but no jail starts. */
export function jailDoesNotStart(probes: readonly ProbeResult[]): PlinthError {
  const detail = probes.find((probe) => probe.name === "start")?.detail ?? "no jail starts";
  return plinthError("JailMissing", { detail, next: adviceFor() });
}

function adviceFor(): string {
  if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "AppArmor forbids user namespaces here. Run: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  }
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0")
    return "User namespaces are switched off. Run: sudo sysctl -w kernel.unprivileged_userns_clone=1";
  if (setting("/proc/sys/user/max_user_namespaces") === "0")
    return "User namespaces are switched off. Run: sudo sysctl -w user.max_user_namespaces=10000";
  return "In a container, allow user namespaces (Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined); otherwise report it with the output of `plinth doctor`";
}

function findTool(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find((file) => isTrustedProgram(file));
}

function isTrustedProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    const entry = statSync(file);
    return entry.isFile() && entry.uid === 0 && (entry.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return undefined;
  }
}
