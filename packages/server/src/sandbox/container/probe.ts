/**
 * Probes: what a real container of this engine lets through. One is started as for a package, with a script that tries what must
 * fail, says what did not, and takes memory until something stops it.
 */
import type { Runtime } from "../../runtime/runtime.ts";
import type { Layer } from "../jail/tiers.ts";
import type { Cell, CellSpec } from "../provider.ts";
import { NODE_IN_CELL } from "../runtimes/node-image.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";

const PATIENCE_MS = 20_000;
const PROBE_MEMORY_BYTES = 64 * 1024 * 1024;

const SCRIPT = `"use strict";
const fs = require("node:fs"), net = require("node:net"), os = require("node:os");
const reached = [];
for (const path of ["/x", "/app/x", "/tmp/x", "/run/x", "/var/tmp/x", "/dev/shm/x", "/etc/x", "/dev/x", "/scratch/x"])
  try { fs.writeFileSync(path, "x"); reached.push("write " + path); } catch {}
for (const path of ["/root/.profile", "/etc/shadow", "/var/run/docker.sock", "/package"])
  try { fs.statSync(path); reached.push("file " + path); } catch {}
try { if (require("node:child_process").spawnSync("/bin/sh", ["-c", ":"]).status === 0) reached.push("process"); } catch {}
let interfaces = {};
try { interfaces = os.networkInterfaces(); } catch {}
for (const [name, list] of Object.entries(interfaces))
  if (list.some(({ internal }) => !internal)) reached.push("network " + name);
let status = "";
try { status = fs.readFileSync("/proc/self/status", "latin1"); } catch {}
const field = (name) => (new RegExp("^" + name + ":\\\\s+(\\\\S+)", "m").exec(status) ?? [])[1] ?? "?";
const names = ["CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"];
const facts = Object.fromEntries(names.map((name) => [name, field(name)]));
const say = (value) => fs.writeSync(4, JSON.stringify(value) + "\\n");
const tell = () => say({ reached, kernel: os.release(), user: process.getuid(), ...facts });
const socket = net.connect({ host: "192.0.2.1", port: 80, timeout: 300 });
socket.on("connect", () => { reached.push("network 192.0.2.1"); socket.destroy(); tell(); });
for (const event of ["error", "timeout"]) socket.once(event, () => { if (!socket.destroyed) socket.destroy(); tell(); });
const control = new net.Socket({ fd: 3, readable: true, writable: false });
const kept = [];
control.on("data", () => { try { for (let i = 0; i < 96; i++) kept.push(Buffer.alloc(8 * 1024 * 1024, 1)); say("unlimited"); } catch { say("limited"); } });
control.on("end", () => process.exit(0));
`;

export interface ProbeFindings {
  /** Undefined when the cell gave no report. */
  readonly kernel: string | undefined;
  readonly layers: readonly Layer[];
  /** What the cell printed, where it did not start. Hostile text is not possible: the script is ours. */
  readonly problem: string;
}

/** `image` is one of node's. */
export async function probeContainer(options: {
  readonly start: (spec: CellSpec) => Cell;
  readonly image: ProgramImage;
  readonly runtime: Runtime;
  readonly ownKernel: boolean;
}): Promise<ProbeFindings> {
  const image = { ...options.image, command: [NODE_IN_CELL, "-e", SCRIPT, "--"] };
  const cell = options.start({ image, scratchBytes: 0, memoryBytesMax: PROBE_MEMORY_BYTES });
  const timer = options.runtime.timer(PATIENCE_MS, () => cell.kill());
  const lines = linesOf(cell);
  try {
    const report = (await lines.next()).value;
    if (report === undefined)
      return { kernel: undefined, layers: [], problem: cell.output.trim().slice(0, 300) || "the container did not answer" };
    const limited = await cell.limitMemory();
    cell.control.write("go\n");
    const memory = (await lines.next()).value;
    const facts = parseReport(report);
    return { kernel: facts.get("kernel"), layers: layersOf(facts, { ...options, limited, memory }), problem: "" };
  } finally {
    timer.cancel();
    cell.kill();
    await cell.exited;
  }
}

function layersOf(
  facts: ReadonlyMap<string, string>,
  { limited, memory, ownKernel }: { readonly limited: boolean; readonly memory: string | undefined; readonly ownKernel: boolean },
): readonly Layer[] {
  const reached = facts.get("reached") ?? "";
  const found = (kinds: RegExp): string => reached.split(",").filter((each) => kinds.test(each)).join(", "); // prettier-ignore
  const layer = (name: string, engaged: boolean, detail: string): Layer => ({ name, engaged, detail });
  const noCapabilities = ["CapPrm", "CapEff", "CapBnd"].every((name) => /^0+$/.test(facts.get(name) ?? ""));
  return [
    layer("network", found(/^network/) === "", found(/^network/) || "none"),
    layer("file system", found(/^(write|file)/) === "", found(/^(write|file)/) || "read-only"),
    layer(
      "no privileges",
      facts.get("user") === "65534" && noCapabilities,
      `user ${facts.get("user")}, capabilities ${facts.get("CapBnd")}`,
    ),
    // A kernel of its own answers all system calls itself; whether it filters them once more is its affair.
    layer(
      "system calls",
      ownKernel || (facts.get("Seccomp") === "2" && found(/^process/) === ""),
      ownKernel ? "a kernel of its own" : found(/^process/) || `seccomp mode ${facts.get("Seccomp")}`,
    ),
    layer("memory limit", limited && memory !== '"unlimited"', limited ? (memory ?? "ended the container") : "the engine was not told one"),
  ];
}

function parseReport(line: string): ReadonlyMap<string, string> {
  const parsed: unknown = JSON.parse(line);
  return new Map(typeof parsed === "object" && parsed !== null ? Object.entries(parsed).map(([name, value]) => [name, String(value)]) : []);
}

async function* linesOf(cell: Cell): AsyncGenerator<string, undefined> {
  let text = "";
  try {
    for await (const chunk of cell.control) {
      text += String(chunk);
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      yield* lines;
    }
  } catch {
    // The container ended, which the caller takes for an answer.
  }
  return undefined;
}
