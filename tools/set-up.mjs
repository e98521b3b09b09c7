/**
 * Sets the project up: packages, Node 26 and the jail. Plain JavaScript, because it runs on the machine's own
 * Node (20 or later) before anything is installed. What is up to date is left alone.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".plinth-set-up");

/** The Node that everything of Plinth runs on; it comes with the npm packages. */
export function nodePath() {
  return join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");
}

/** Makes the project ready. Returns nothing; ends the process with one sentence when that cannot be. */
export function setUp({ jail }) {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    fail(`Plinth runs on Linux on x64 or arm64; this is ${process.platform} on ${process.arch}.`);
  }
  installPackages();
  if (jail) installJail();
}

function installPackages() {
  const digest = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest && existsSync(nodePath())) return;
  try {
    accessSync(root, constants.W_OK);
  } catch {
    fail(`The folder ${root} is not writable for this user; packages cannot be installed there.`);
  }
  console.log("Installing packages (once, about half a minute) …");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--include=optional", "--include=dev"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (npm.status !== 0) fail("`npm ci` failed; its message is above. Check the network and run the command again.");
  const version = spawnSync(nodePath(), ["--version"], { encoding: "utf8" });
  if (version.status !== 0) fail(`The installed Node (${nodePath()}) does not run: ${version.stderr || version.error}`);
  writeFileSync(stampFile, digest);
}

function installJail() {
  if (onPath("bwrap")) return;
  const prefix = process.getuid() === 0 ? [] : canSudo() ? ["sudo", "-n"] : null;
  if (prefix === null || !onPath("apt-get")) {
    fail(
      "bubblewrap is missing; without it there is no jail. Install it once and run this again:\n  sudo apt-get update && sudo apt-get install -y bubblewrap",
    );
  }
  console.log("Installing bubblewrap (once) …");
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "bubblewrap"],
  ]) {
    const [command, ...rest] = [...prefix, "apt-get", ...args];
    const apt = spawnSync(command, rest, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (apt.status !== 0)
      fail(
        "bubblewrap could not be installed. Install it by hand and run this again:\n  sudo apt-get update && sudo apt-get install -y bubblewrap",
      );
  }
}

function onPath(name) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

function canSudo() {
  return onPath("sudo") && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
