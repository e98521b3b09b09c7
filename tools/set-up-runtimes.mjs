/**
 * Installs what the tests of Python and of containers need: CPython, podman, runc and gVisor's runsc. Where that cannot be, it says
 * why and succeeds: those tests are skipped with the reason. Plain JavaScript for the machine's own Node.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PROGRAMS = ["python3", "podman", "runc", "runsc"];
const INSTALL_MS_MAX = 180_000;

const missing = PROGRAMS.filter((name) => !["/usr/bin", "/usr/sbin", "/usr/local/bin"].some((folder) => existsSync(`${folder}/${name}`)));
if (missing.length === 0) process.exit(0);
const reason = process.getuid() !== 0 ? "only root installs packages" : existsSync("/usr/bin/apt-get") ? install() : "there is no apt-get";
if (reason !== undefined) console.log(`Tests of Python or of containers are skipped: ${missing.join(", ")} not installed (${reason}).`);

/** Why it failed, or undefined. */
function install() {
  console.log(`Installing ${missing.join(", ")} for the tests …`);
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...PROGRAMS],
  ]) {
    const apt = spawnSync("apt-get", args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      timeout: INSTALL_MS_MAX,
    });
    if (apt.status !== 0) return (apt.stderr || String(apt.error ?? "apt-get failed")).trim().split("\n").at(-1);
  }
  return undefined;
}
