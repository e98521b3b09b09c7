/**
 * Categories A to D, J and S in the jails of packages: what code of the node and python runtimes reaches when it does what it wants.
 * Small programs stand for the runners, so that nothing but the jail is in the way.
 */
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limit } from "../../packages/core/src/limits.ts";
import {
  callOnce,
  fixtureProgram,
  folderWith,
  openTestSandbox,
  packageOf,
  pythonFixture,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import { childrenOf } from "../../packages/server/src/sandbox/jail/process-stats.ts";
import { SYSCALL_NUMBERS, type SyscallName } from "../../packages/server/src/sandbox/jail/syscalls.ts";
import { nodeRuntime } from "../../packages/server/src/sandbox/runtimes/node.ts";
import { pythonRuntime } from "../../packages/server/src/sandbox/runtimes/python.ts";
import type { CallOutcome, VersionCode } from "../../packages/server/src/sandbox/sandbox.ts";
import { SCRATCH_MISSING } from "../../packages/server/src/sandbox/fixtures/scratch-missing.ts";

type Language = "node" | "python";
const EPERM = 1;
const EROFS = 30;
const ENOSPC = 28;

let opened: TestSandbox;
let folder: string;

beforeAll(async () => {
  folder = await folderWith({ "code.txt": "code" });
  opened = await openTestSandbox({
    warmRunners: 0,
    runtimes: { node: nodeRuntime(fixtureProgram("raw-runner.js")), python: pythonRuntime(pythonFixture("raw_runner.py")) },
  });
});

afterAll(async () => {
  await opened.sandbox.close();
  await rm(folder, { recursive: true });
  expect(childrenOf(process.pid), "no process is left").toEqual([]);
});

function version(runtime: Language, scratchBytes = 0): VersionCode {
  const code = { path: folder, release: () => undefined };
  return packageOf(`abuse ${scratchBytes}`, { runtime, scratchBytes, folder: async () => code, memoryBytesMax: 128 * 2 ** 20 });
}

/** Runs code of the language: JavaScript returns its answer, Python leaves it in `value`. */
function outcomeOf(runtime: Language, code: string, scratchBytes = 0): Promise<CallOutcome> {
  const of = version(runtime, scratchBytes);
  const limits = { ...requestOf("").limits, cpuMs: 10_000, wallMs: 10_000 };
  return callOnce(opened.sandbox, { tenant: runtime, request: requestOf("evaluate", { code }, { version: of, kind: "handler", limits }) });
}

async function valueOf(runtime: Language, code: string, scratchBytes = 0): Promise<unknown> {
  const outcome = await outcomeOf(runtime, code, scratchBytes);
  if (outcome.kind !== "ok") throw new Error(`the call ended as ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.valueText);
}

/** The number of the error that a piece of Python raises, or "worked". */
function python(code: string, scratchBytes = 0): Promise<unknown> {
  const lines = code
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
  return valueOf("python", `import os, errno\nvalue = "worked"\ntry:\n${lines}\nexcept OSError as e:\n    value = e.errno`, scratchBytes);
}

/** Calls the kernel from Python. */
function syscall(name: SyscallName, ...args: readonly number[]): string {
  return `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nvalue = libc.syscall(${[SYSCALL_NUMBERS[name][0], ...args].join(", ")})\nif value < 0: value = -ctypes.get_errno()`;
}

describe("python: what the jail refuses", () => {
  test("C01 no process can be made", async () => {
    expect(await python("os.fork()")).toBe(EPERM);
    expect(await python("os.posix_spawn('/usr/bin/python3', ['x'], {})")).toBe(EPERM);
    expect(await python("import subprocess\nsubprocess.run(['/bin/true'])")).not.toBe("worked");
    expect(await python("os.system('true') == 0 or [][1:][0:1] or os.kill(1, 99)")).not.toBe("worked");
  });

  test("C02 threads end at the limit, and the host has no more than before", async () => {
    const code = `import threading\nthreading.stack_size(65536)\nvalue = 0\nhold = threading.Event()\ntry:\n    while value < 500:\n        threading.Thread(target=hold.wait, daemon=True).start()\n        value += 1\nexcept RuntimeError:\n    pass\nhold.set()`;
    expect(await valueOf("python", code)).toBeLessThan(limit("runnerThreadsMax"));
  });

  test("C04 descriptors end at the limit", async () => {
    const code = `import os\nopened = []\ntry:\n    while True: opened.append(os.open("/app/runner.py", os.O_RDONLY))\nexcept OSError as e:\n    value = [e.errno, len(opened) < ${limit("runnerFilesMax")}]\nfor each in opened: os.close(each)`;
    expect(await valueOf("python", code)).toEqual([24, true]);
  });

  test("C05 C06 D04 nothing can be written, neither files nor folders", async () => {
    for (const path of [
      "/x",
      "/app/x",
      "/app/runner.py",
      "/package/x",
      "/package/code.txt",
      "/usr/lib/x",
      "/tmp/x",
      "/dev/x",
      "/scratch/x",
    ])
      expect([EROFS, EPERM, 2, 13], path).toContain(await python(`open(${JSON.stringify(path)}, "w")`));
    for (const path of ["/x", "/app/x", "/package/x"]) expect(await python(`os.mkdir("${path}")`), path).toBe(EROFS);
    expect(await python('os.unlink("/package/code.txt")')).toBe(EROFS);
    expect(readFileSync(`${folder}/code.txt`, "utf8")).toBe("code");
  });

  test("D02 D03 neither files of the host nor its kernel are seen", async () => {
    for (const path of [
      "/etc/passwd",
      "/etc/hostname",
      "/root",
      "/home",
      "/proc/self/status",
      "/proc/1/mem",
      "/sys",
      "/var",
      "/dev/kmsg",
      "/dev/mem",
    ])
      expect(await python(`os.stat("${path}")`), path).toBe(2);
    expect(new Set((await valueOf("python", 'import os\nvalue = os.listdir("/dev")')) as readonly string[])).toEqual(
      new Set(["null", "urandom"]),
    );
  });

  test("D06 there are four descriptors, and the fourth is the control socket", async () => {
    const code = `import os, stat\nvalue = {}\nfor fd in range(256):\n    try: value[fd] = stat.S_IFMT(os.fstat(fd).st_mode)\n    except OSError: pass\nvalue = {fd: kind for fd, kind in value.items() if kind in (stat.S_IFSOCK, stat.S_IFREG, stat.S_IFDIR)}\nvalue = [sorted(fd for fd in value if value[fd] != stat.S_IFSOCK), max(value) <= 3]`;
    expect(await valueOf("python", code)).toEqual([[], true]);
  });

  test("J a socket cannot be made", async () => {
    for (const family of [1, 2, 10, 16, 40]) expect(await python(`import socket\nsocket.socket(${family}, 1)`), String(family)).toBe(EPERM);
    expect(await python("import socket\nsocket.socketpair()")).toBe(EPERM);
  });

  test("S15 memory can be written or executed, not both", async () => {
    expect(await python("import mmap\nmmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)")).toBe(EPERM);
    expect(await python("import mmap\nmmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)")).toBe(EPERM);
    const code = `import mmap, ctypes\nm = mmap.mmap(-1, 4096)\naddress = ctypes.addressof(ctypes.c_char.from_buffer(m))\nlibc = ctypes.CDLL(None, use_errno=True)\nvalue = libc.mprotect(ctypes.c_void_p(address), 4096, 5)\nif value < 0: value = -ctypes.get_errno()`;
    expect(await valueOf("python", code)).toBe(-EPERM);
  });

  test.runIf(process.arch === "x64")("S02 S03 S06 S08 calls to the kernel are refused", async () => {
    for (const name of [
      "socket",
      "connect",
      "bind",
      "sendmsg",
      "memfd_create",
      "setpriority",
      "setrlimit",
      "kill",
      "mlock",
      "seccomp",
    ] as const)
      expect(await valueOf("python", syscall(name, 1, 1, 0)), name).toBe(-EPERM);
    expect(await valueOf("python", syscall("clone", 17, 0, 0, 0, 0))).toBe(-EPERM);
    expect(await valueOf("python", `${syscall("getpid")}\nif libc.syscall(425, 8, 0) < 0: value = -ctypes.get_errno()`)).toBe(-38);
  });

  test
    .runIf(process.arch === "x64")
    .each(["ptrace", "unshare", "mount", "bpf", "keyctl", "userfaultfd", "process_vm_readv", "init_module"] as const)(
    "S04 S05 S06 %s ends the process as a violation",
    async (name) => {
      await opened.sandbox.evict("python"); // or the pauses after violations would add up
      expect(await outcomeOf("python", syscall(name, 0, 0, 0))).toMatchObject({ kind: "security" });
    },
  );

  test("C12 C14 an abort leaves no core file; the call is lost and the next one works", async () => {
    const before = readdirSync(folder);
    await opened.sandbox.evict("python");
    for (const code of [
      "import os\nos.abort()",
      "import os\nos._exit(0)",
      "import os, signal\ntry: os.kill(os.getpid(), signal.SIGKILL)\nfinally: os._exit(9)",
    ])
      expect((await outcomeOf("python", code)).kind, code).toBe("lost");
    expect(await valueOf("python", "value = 1")).toBe(1);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("A06 a call into native code that never ends is killed at its deadline", async () => {
    const of = version("python");
    const limits = { ...requestOf("").limits, cpuMs: 300, wallMs: 300 };
    const request = requestOf("evaluate", { code: "value = 10 ** (10 ** 9)" }, { version: of, kind: "handler", limits });
    const outcome = await callOnce(opened.sandbox, { tenant: "python", request });
    expect(["timeout", "outOfMemory"]).toContain(outcome.kind);
    expect(await valueOf("python", "value = 1")).toBe(1);
  });

  test("B01 memory ends at the limit", async () => {
    const outcome = await outcomeOf("python", "value = len([bytearray(1 << 20) for _ in range(4096)])");
    // An allocation that is refused is an error that the code sees; one that the kernel ends takes the process.
    expect(outcome.kind === "ok" ? JSON.parse(outcome.valueText) : outcome.kind).toEqual(
      outcome.kind === "ok" ? { error: "MemoryError", errno: null } : "outOfMemory",
    );
  });
});

describe.skipIf(SCRATCH_MISSING !== undefined).each(["node", "python"] as const)("%s: with a scratch folder", (runtime) => {
  const scratch = 2 ** 20;
  const run = (nodeCode: string, pythonCode: string): Promise<unknown> =>
    runtime === "python"
      ? python(pythonCode, scratch)
      : valueOf("node", `const fs = require("node:fs"); ${nodeCode}; return "worked"`, scratch).then((value) =>
          isError(value) ? (NUMBERS[value.error] ?? value.error) : value,
        );

  test("C05 it is full at its size", async () => {
    expect(
      await run(
        'for (let i = 0; i < 64; i++) fs.writeFileSync("/scratch/" + i, Buffer.alloc(65536))',
        'for i in range(64): open(f"/scratch/{i}", "wb").write(bytes(65536))',
      ),
    ).toBe(ENOSPC);
    await opened.sandbox.evict(runtime);
  });

  test("C06 empty files are bounded by memory: the process ends, the machine does not notice", async () => {
    const code =
      runtime === "node"
        ? 'const fs = require("node:fs"); for (let i = 0; i < 3e6; i++) fs.closeSync(fs.openSync("/scratch/" + "x".repeat(200) + i, "w")); return "unlimited"'
        : 'import os\nfor i in range(3000000): os.close(os.open("/scratch/" + "x" * 200 + str(i), os.O_CREAT | os.O_WRONLY))\nvalue = "unlimited"';
    const outcome = await outcomeOf(runtime, code, scratch);
    const refused = outcome.kind === "ok" && outcome.valueText !== '"unlimited"';
    expect(refused || outcome.kind === "outOfMemory" || outcome.kind === "lost", JSON.stringify(outcome)).toBe(true);
    expect(await valueOf(runtime, runtime === "node" ? "return 1" : "value = 1", scratch)).toBe(1);
  }, 30_000);

  test("D04 the rest stays as it is, and no links or special files are made", async () => {
    expect(await run('fs.writeFileSync("/x", "")', 'open("/x", "w")')).toBe(EROFS);
    expect(await run('fs.writeFileSync("/app/x", "")', 'open("/app/x", "w")')).toBe(EROFS);
    expect(await run('fs.unlinkSync("/package/code.txt")', 'os.unlink("/package/code.txt")')).toBe(EROFS);
    expect(await run('fs.symlinkSync("/app", "/scratch/link")', 'os.symlink("/app", "/scratch/link")')).toBe(EPERM);
    expect(await python('os.mknod("/scratch/pipe", 0o10600)', scratch)).toBe(EPERM);
  });

  test("C01 a file that it wrote cannot be made a process of its own", async () => {
    expect(
      await run(
        'fs.writeFileSync("/scratch/run", "#!/usr/bin/node"); fs.chmodSync("/scratch/run", 0o755); const { error } = require("node:child_process").spawnSync("/scratch/run"); if (error) throw error',
        'open("/scratch/run", "w").write("x")\nos.chmod("/scratch/run", 0o755)\nos.posix_spawn("/scratch/run", ["x"], {})',
      ),
    ).toBe(EPERM);
  });
});

const NUMBERS: Readonly<Record<string, number>> = { EPERM, EROFS, ENOSPC };

function isError(value: unknown): value is { readonly error: string } {
  return typeof value === "object" && value !== null && "error" in value;
}
