/** Categories C and D at the jail itself: processes, threads, descriptors, disk, and what can be seen. */
import { readFileSync, readdirSync } from "node:fs";
import { afterEach, beforeAll, afterAll, describe, expect, test } from "vitest";
import { JailedRepl, type ReplKit, replKit } from "../../packages/server/src/sandbox/fixtures/jailed-repl.ts";
import { childrenOf } from "../../packages/server/src/sandbox/jail/process-stats.ts";
import type { CellSpec } from "../../packages/server/src/sandbox/provider.ts";

let kit: ReplKit;
const open: JailedRepl[] = [];

beforeAll(async () => {
  kit = await replKit();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((repl) => repl.close()));
  expect(childrenOf(process.pid), "no jail is left").toEqual([]);
});

afterAll(async () => await kit.cgroups?.close());

function start(cell: Partial<Omit<CellSpec, "image">> = {}): JailedRepl {
  const repl = new JailedRepl(kit, [], cell);
  open.push(repl);
  return repl;
}

function inside(repl: JailedRepl): string {
  return `/proc/${repl.jail.insidePid()}`;
}

describe("C: processes, threads, descriptors, disk", () => {
  test("C01 no process can be made", async () => {
    const repl = start();
    for (const code of [
      'spawnSync("/usr/bin/node", ["-v"])',
      'spawn("/usr/bin/node", ["-v"], { stdio: "ignore" })',
      'fork("/app/runner.js")',
      'execFileSync("/usr/bin/node", ["-v"])',
    ]) {
      expect(
        await repl.ask(
          `return new Promise((resolve) => { const child = require("node:child_process").${code}; if (child.error) throw child.error; child.on("error", (error) => resolve(error.code)); child.on("spawn", () => resolve("worked")); })`,
        ),
        code,
      ).toSatisfy(isRefused);
    }
    // Straight to the kernel: fork, vfork, clone without threads.
    for (const number of [57, 58]) expect(await repl.value(`return syscall(${number})`)).toBe(-1);
    expect(childrenOf(Number(repl.jail.insidePid()))).toEqual([]);
  });

  test("C02 threads end at the limit", async () => {
    const repl = start({ memoryBytesMax: 8 * 2 ** 30 });
    await repl.value("return 1");
    expect(await repl.jail.limitMemory()).toBe(true);
    void repl.ask(`
      const { Worker } = require("node:worker_threads");
      globalThis.workers = [];
      for (let i = 0; i < 200; i++) { const worker = new Worker("setInterval(() => 0, 1e6)", { eval: true, resourceLimits: { maxOldGenerationSizeMb: 4 } }); worker.on("error", () => 0); workers.push(worker); }
      return workers.length;`);
    await pause(700);
    const threads = threadsOf(repl);
    expect(threads).toBeLessThanOrEqual(64);
  });

  test("C04 descriptors end at the limit", async () => {
    const repl = start();
    expect(
      await repl.value(
        'let count = 0; try { for (; count < 1000; count++) require("node:fs").openSync("/app/runner.js"); } catch (error) { return [error.code, count < 64]; }',
      ),
    ).toEqual(["EMFILE", true]);
  });

  test("C05 C06 D04 nothing can be written or made anywhere", async () => {
    const repl = start();
    const refused = await repl.value(`
      const fs = require("node:fs");
      const codes = new Set();
      const attempt = (action) => { try { action(); codes.add("worked"); } catch (error) { codes.add(error.code); } };
      for (const folder of ["", "/app", "/usr", "/usr/bin", "/lib", "/lib64", "/dev", "/tmp", "/home", "/var/tmp", "/dev/shm"]) {
        attempt(() => fs.writeFileSync(folder + "/made", "x"));
        attempt(() => fs.mkdirSync(folder + "/made"));
        attempt(() => fs.symlinkSync("/app", folder + "/made"));
        attempt(() => fs.linkSync("/app/runner.js", folder + "/made"));
      }
      attempt(() => fs.writeFileSync("/app/runner.js", "x"));
      attempt(() => fs.appendFileSync("/app/runner.js", "x"));
      attempt(() => fs.appendFileSync("/usr/bin/node", "x"));
      attempt(() => fs.chmodSync("/app/runner.js", 0o777));
      attempt(() => fs.renameSync("/app/runner.js", "/app/other.js"));
      attempt(() => fs.unlinkSync("/app/runner.js"));
      attempt(() => fs.truncateSync("/app/runner.js"));
      return [...codes].sort();`);
    // Some refuse on their own before the read-only mount does: files of the host's root (EACCES), and for their owner
    // programs that run (ETXTBSY).
    expect(refused).toEqual(process.getuid?.() === 0 ? ["EACCES", "ENOENT", "EROFS"] : ["ENOENT", "EROFS", "ETXTBSY"]);
  });

  test("C08 kernel objects end at the limit of descriptors", async () => {
    const repl = start();
    // eventfd2, epoll_create1, pipe2
    for (const code of ["syscall(290, 0, 0)", "syscall(291, 0)", "syscall(293, Buffer.alloc(8), 0)"]) {
      expect(await repl.value(`let result; for (let i = 0; i < 200; i++) { result = ${code}; if (result < 0) break; } return result`)).toBe(
        -24,
      );
    }
  });

  test("C12 no core is dumped", async () => {
    const repl = start();
    await repl.value("return 1");
    expect(readFileSync(`${inside(repl)}/limits`, "latin1")).toMatch(/^Max core file size\s+0\s+0/m);
    const answer = await repl.ask("process.abort()");
    expect("exit" in answer && answer.exit.code).toBeGreaterThan(128);
    expect(readdirSync(process.cwd()).filter((name) => /^core(\.|$)/.test(name))).toEqual([]);
  });
});

describe("D: what can be seen", () => {
  test("D02 D03 no file of the host, no /proc, no /sys, two devices", async () => {
    const repl = start();
    const found = await repl.value(`
      const fs = require("node:fs");
      const paths = ["/etc", "/etc/passwd", "/etc/hostname", "/root", "/home", "/var", "/tmp", "/run", "/proc", "/proc/self", "/sys", "/boot", "/opt", "/srv", "/mnt", "/dev/sda", "/dev/mem", "/dev/tty", "/dev/kvm", "/dev/zero", "/dev/random", "/dev/shm", "/oldroot", "/newroot", "/.old"];
      return paths.filter((path) => { try { fs.lstatSync(path); return true; } catch (error) { if (error.code !== "ENOENT") throw error; return false; } });`);
    expect(found).toEqual([]);
    expect(await repl.value('return require("node:fs").readdirSync("/dev").sort()')).toEqual(["null", "urandom"]);
    expect(await repl.value('return require("node:fs").readdirSync("/").sort()')).toEqual(
      ["app", "dev", "lib", "lib64", "usr"].filter((name) => rootNames().has(name)),
    );
  });

  test("D05 the environment holds nothing of the host", async () => {
    const repl = start();
    expect(await repl.value("return process.env")).toEqual({ PATH: "/usr/bin", LANG: "C.UTF-8", TZ: "UTC", PWD: "/" });
    expect(
      await repl.value('return [require("node:os").hostname(), process.getuid(), process.getgid(), process.pid, process.ppid]'),
    ).toEqual(["runner", 65534, 65534, 1, 0]);
  });

  test("D06 the inherited descriptors are input, output, error and the control socket", async () => {
    const repl = start();
    // What the engine opened itself are anonymous pipes, event counters and a device; none is a file or a socket.
    const kinds = await repl.value(`
      const fs = require("node:fs");
      const found = [];
      for (let fd = 0; fd < 256; fd++) { try { const at = fs.fstatSync(fd); if (fd <= 3 || at.isSocket() || at.isFile() || at.isDirectory()) found.push(fd + " " + (at.isSocket() ? "socket" : at.isCharacterDevice() ? "device" : "other")); } catch {} }
      return found;`);
    expect(kinds).toEqual(["0 device", "1 socket", "2 socket", "3 socket"]);
  });

  test("D07 the image holds the runtime and no code of anybody", async () => {
    const repl = start();
    expect(await repl.value('return require("node:fs").readdirSync("/app").sort()')).toEqual(["runner.js"]);
  });

  test("the jail is in no session and no process group of the host", async () => {
    const repl = start();
    await repl.value("return 1");
    const groupAndSession = (pid: number | undefined): readonly string[] =>
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /, "")
        .split(" ")
        .slice(2, 4);
    const own = groupAndSession(process.pid);
    for (const pid of [repl.jail.pid, repl.jail.insidePid()]) for (const id of groupAndSession(pid)) expect(own).not.toContain(id);
  });

  test("J1 the jail has a user of its own", async () => {
    const [a, b] = [start(), start()];
    await Promise.all([a.value("return 1"), b.value("return 1")]);
    const users = [a, b].map((repl) => /^Uid:\s+(\d+)/m.exec(readFileSync(`${inside(repl)}/status`, "latin1"))?.[1]);
    expect(users).not.toContain("0");
    if (process.getuid?.() === 0) expect(users[0]).not.toBe(users[1]);
  });
});

function rootNames(): ReadonlySet<string> {
  return new Set(["dev", ...kit.image.mounts.map((mount) => mount.target.split("/")[1] ?? "")]);
}

function isRefused(answer: unknown): boolean {
  return ["EPERM"].some(
    (code) => JSON.stringify(answer) === JSON.stringify({ value: code }) || JSON.stringify(answer) === JSON.stringify({ error: code }),
  );
}

function threadsOf(repl: JailedRepl): number {
  return Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`${inside(repl)}/status`, "latin1"))?.[1]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
