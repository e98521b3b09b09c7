/**
 * Probes: what a real jail of this host lets through. One jail is started as for a runner, but with a
 * script that tries what must fail; the host looks at the process from outside meanwhile.
 */
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { Runtime } from "../../runtime/runtime.ts";
import { APP_FOLDER, NODE_IN_CELL } from "../runtimes/node-image.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { Jail, type JailKit } from "./jail.ts";
import { isAlive } from "./process-stats.ts";
import { PROBE_FILE } from "./probe-script.ts";

export interface ProbeResult {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Without Node's own permission flags: the probe is about the jail alone. */
const PROBE_COMMAND = [NODE_IN_CELL, "--disable-sigusr1", "--v8-pool-size=1", `${APP_FOLDER}/${PROBE_FILE}`];
const PATIENCE_MS = 5000;
const PROBE_MEMORY_BYTES = 64 * 1024 * 1024;
const KILL_EXPECTED_MS = 1000;

/** `image` is one of node's that holds the probe's script. */
export async function probeJail(kit: JailKit, image: ProgramImage): Promise<readonly ProbeResult[]> {
  let jail: Jail;
  try {
    jail = new Jail(kit, {
      image: { ...image, command: PROBE_COMMAND, addressBytes: 0 },
      scratchBytes: 0,
      memoryBytesMax: PROBE_MEMORY_BYTES,
    });
  } catch (error) {
    return [{ name: "start", ok: false, detail: String(error) }];
  }
  const lines = new Lines(jail.control, kit.runtime);
  try {
    const report = await lines.next();
    if (report === undefined) return [{ name: "start", ok: false, detail: startProblem(jail) }];
    const inside = jail.insidePid();
    const results = [{ name: "start", ok: true, detail: "a jail starts" }, ...fromInside(report), ...fromOutside(inside)];
    return [...results, await probeMemory(jail, lines), await probeKill(jail, kit.runtime)];
  } finally {
    jail.kill();
    await jail.exited;
  }
}

function startProblem(jail: Jail): string {
  return (
    jail.output
      .replace(/[^\x20-\x7e]+/g, " ")
      .trim()
      .slice(0, 300) || "the jail did not answer"
  );
}

/** The probe script is ours, but it is read as strictly as it needs: a list of names. */
function fromInside(report: string): readonly ProbeResult[] {
  const parsed: unknown = JSON.parse(report);
  const list: unknown = typeof parsed === "object" && parsed !== null && "reached" in parsed ? parsed.reached : undefined;
  const reached = Array.isArray(list) ? list.map(String) : ["unreadable report"];
  const check = (name: string, prefixes: readonly string[]): ProbeResult => {
    const found = reached.filter((each) => prefixes.some((prefix) => each.startsWith(prefix)));
    return { name, ok: found.length === 0, detail: found.length === 0 ? "refused" : found.join(", ") };
  };
  return [
    check("network", ["network", "interfaces"]),
    check("files", ["file "]),
    check("writing", ["write ", "folder "]),
    check("processes", ["process", "signal", "priority"]),
    check("descriptors", ["descriptor "]),
    check("identity", ["identity", "environment", "unreadable"]),
  ];
}

function fromOutside(inside: number | undefined): readonly ProbeResult[] {
  const status = inside === undefined ? "" : readFileSync(`/proc/${inside}/status`, "latin1");
  const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "?";
  const users = field("Uid").split(/\s+/);
  return [
    { name: "seccomp", ok: field("Seccomp") === "2" && field("NoNewPrivs") === "1", detail: `mode ${field("Seccomp")}` },
    { name: "user", ok: users.length === 4 && users.every((user) => /^\d+$/.test(user) && user !== "0"), detail: `user ${users[0]}` },
    {
      name: "capabilities",
      ok: ["CapPrm", "CapEff", "CapBnd", "CapAmb"].every((name) => /^0+$/.test(field(name))),
      detail: `effective ${field("CapEff")}`,
    },
  ];
}

async function probeMemory(jail: Jail, lines: Lines): Promise<ProbeResult> {
  if (!(await jail.limitMemory())) return { name: "memory", ok: false, detail: "the limit could not be set" };
  jail.control.write("go\n");
  const answer = await lines.next();
  // An end of the process is as good as a refusal.
  return { name: "memory", ok: answer !== "unlimited", detail: answer ?? "the process ended" };
}

async function probeKill(jail: Jail, runtime: Runtime): Promise<ProbeResult> {
  const pid = jail.insidePid();
  const startMs = runtime.monotonicMs();
  jail.kill();
  await jail.exited;
  const tookMs = Math.round(runtime.monotonicMs() - startMs);
  return { name: "kill", ok: tookMs <= KILL_EXPECTED_MS && (pid === undefined || !isAlive(pid)), detail: `${tookMs} ms` };
}

/** Lines from the control socket; undefined when it ends or nothing comes in time. */
class Lines {
  readonly #runtime: Runtime;
  readonly #ready: string[] = [];
  #text = "";
  #ended = false;
  #waiting: (() => void) | undefined;

  constructor(socket: Duplex, runtime: Runtime) {
    this.#runtime = runtime;
    socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    const end = (): void => {
      this.#ended = true;
      this.#waiting?.();
    };
    for (const event of ["end", "close", "error"]) socket.on(event, end);
  }

  async next(): Promise<string | undefined> {
    if (this.#ready.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        const timer = this.#runtime.timer(PATIENCE_MS, resolve);
        this.#waiting = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    return this.#ready.shift();
  }

  #received(chunk: Uint8Array): void {
    this.#text += Buffer.from(chunk).toString("latin1");
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    this.#ready.push(...lines);
    if (lines.length > 0) this.#waiting?.();
  }
}
