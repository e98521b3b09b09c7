/**
 * The script that a probe jail runs. It is plain JavaScript, because it runs where no loader of types and
 * no file but itself exists. It tries what must not work, says on the control socket what did work, then
 * takes memory when it is told to.
 */
export const PROBE_FILE = "probe.js";

export const PROBE_SCRIPT = `"use strict";
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const control = new net.Socket({ fd: 3 });
const reached = [];
const attempt = (name, action, refusals) => {
  try { action(); reached.push(name); } catch (error) { if (!refusals.includes(error.code)) reached.push(name + ":" + error.code); }
};
for (const path of ["/etc/passwd", "/proc/self/status", "/proc/1/cmdline", "/sys/kernel", "/root", "/home", "/var", "/dev/kmsg", "/app/../etc/hostname"]) {
  attempt("file " + path, () => fs.statSync(path), ["ENOENT"]);
}
for (const path of ["/app/written", "/written", "/tmp/written", "/dev/written", "/usr/bin/node"]) {
  attempt("write " + path, () => fs.writeFileSync(path, "x"), ["EROFS", "ENOENT", "EACCES"]);
}
for (const path of ["/app/made", "/made", "/dev/made"]) attempt("folder " + path, () => fs.mkdirSync(path), ["EROFS"]);
attempt("process", () => { const { error } = require("node:child_process").spawnSync("/usr/bin/node", ["-v"]); if (error) throw error; }, ["EPERM", "EACCES"]);
attempt("signal", () => process.kill(-1, 0), ["EPERM"]);
attempt("priority", () => os.setPriority(-5), ["EPERM", "EACCES", "ERR_SYSTEM_ERROR"]);
attempt("interfaces", () => { if (Object.keys(os.networkInterfaces()).length > 0) return; throw { code: "none" }; }, ["none", "ERR_SYSTEM_ERROR"]);
const descriptors = [];
for (let fd = 0; fd < 256; fd++) {
  try { const at = fs.fstatSync(fd); descriptors.push([fd, at.isSocket() ? "socket" : at.isFile() ? "file" : at.isDirectory() ? "folder" : "other"]); } catch {}
}
for (const [fd, kind] of descriptors) {
  if (kind === "file" || kind === "folder" || (kind === "socket" && fd > 3)) reached.push("descriptor " + fd + " " + kind);
}
if (process.getuid() === 0 || process.pid !== 1) reached.push("identity");
const { env } = process;
if (Object.keys(env).some((name) => !["PATH", "LANG", "TZ", "PWD"].includes(name))) reached.push("environment");
const answer = () => control.write(JSON.stringify({ reached, pid: process.pid }) + "\\n");
const socket = net.connect({ host: "127.0.0.1", port: 9 });
socket.on("connect", () => { reached.push("network"); answer(); });
socket.on("error", (error) => { if (!["EPERM", "EACCES", "EAFNOSUPPORT"].includes(error.code)) reached.push("network:" + error.code); answer(); });
const kept = [];
control.on("data", () => {
  try { for (let i = 0; i < 64; i++) kept.push(Buffer.alloc(8 * 1024 * 1024, 1)); control.write("unlimited\\n"); } catch { control.write("limited\\n"); }
});
control.on("error", () => undefined);
control.on("end", () => process.exit(0));
`;
