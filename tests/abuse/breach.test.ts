/**
 * Category S: the attacker runs native code in a runner. A script in the real jail makes system calls
 * directly, as an exploit of the engine would.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JailedRepl, type ReplKit, replKit } from "../../packages/server/src/sandbox/fixtures/jailed-repl.ts";
import { EXIT_SIGSYS } from "../../packages/server/src/sandbox/provider.ts";
import { policyOf } from "../../packages/server/src/sandbox/jail/seccomp.ts";
import { type SyscallName, SYSCALL_NUMBERS, syscallNumber } from "../../packages/server/src/sandbox/jail/syscalls.ts";

const EPERM = -1;
const ESRCH = -3;
const EAGAIN = -11;
const EINVAL = -22;
const ENOTTY = -25;
const ENOSYS = -38;
const AT_ONCE = 4;

let kit: ReplKit;
let repl: JailedRepl;

// The numbers below are those of x86_64; the filter of aarch64 is proven by simulation only.
describe.runIf(process.arch === "x64")("native code in the jail", () => {
  beforeAll(async () => {
    kit = await replKit();
    repl = new JailedRepl(kit);
  });

  afterAll(async () => {
    await repl.close();
    await kit.cgroups?.close();
  });

  function call(name: SyscallName, ...args: readonly (number | string)[]): Promise<unknown> {
    return repl.value(`return syscall(${SYSCALL_NUMBERS[name][0]}, ...${JSON.stringify(args)})`);
  }

  /** Each killing call needs a jail of its own. */
  async function exitCodes(names: readonly SyscallName[]): Promise<ReadonlyMap<SyscallName, number | string>> {
    const codes = new Map<SyscallName, number | string>();
    const rest = [...names];
    const work = async (): Promise<void> => {
      for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
        const victim = new JailedRepl(kit);
        const answer = await victim.ask(`return syscall(${SYSCALL_NUMBERS[name][0]}, 0, 0, 0, 0, 0, 0)`);
        codes.set(name, "exit" in answer ? answer.exit.code : JSON.stringify(answer));
        await victim.close();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return codes;
  }

  async function expectKilled(names: readonly SyscallName[]): Promise<void> {
    expect(Object.fromEntries(await exitCodes(names))).toEqual(Object.fromEntries(names.map((name) => [name, EXIT_SIGSYS])));
  }

  test("S01 every refused number is refused by the real kernel too", async () => {
    const policy = policyOf("x86_64", "jit");
    const expected: Record<number, number> = {};
    for (let number = 0; number <= 470; number++) {
      const verdict = policy.get(number);
      // uretprobe and uprobe pass every filter since Linux 6.15; the kernel itself kills whoever calls them by hand.
      if (number === 335 || number === 336) continue;
      if (verdict === undefined) expected[number] = ENOSYS;
      else if (verdict.kind === "errno") expected[number] = -verdict.errno;
    }
    const found = await repl.value(
      `const found = {}; for (const number of ${JSON.stringify(Object.keys(expected).map(Number))}) found[number] = syscall(number, 0, 0, 0, 0, 0, 0); return found`,
    );
    expect(found).toEqual(expected);
  });

  test("S02 the control socket can be read and written, nothing else", async () => {
    for (const name of ["connect", "bind", "listen", "sendto", "recvfrom", "setsockopt", "getpeername", "accept4"] as const)
      expect(await call(name, 3, 0, 0, 0, 0, 0)).toBe(EPERM);
    expect(await call("socket", 1, 1, 0)).toBe(EPERM); // unix
    expect(await call("socket", 2, 1, 0)).toBe(EPERM); // internet
    expect(await call("socket", 16, 3, 0)).toBe(EPERM); // netlink
    expect(await call("socket", 40, 1, 0)).toBe(EPERM); // vsock, which no namespace confines
  });

  test("S03 no namespace, no process", async () => {
    await expectKilled(["unshare", "setns"]);
    expect(await call("clone", 0x10000011, 0, 0, 0, 0)).toBe(EPERM);
    expect(await call("clone", 17, 0, 0, 0, 0)).toBe(EPERM);
    expect(await repl.value("return syscall(435, Buffer.alloc(88), 88)")).toBe(ENOSYS);
  });

  test("S04 other processes cannot be looked at", () =>
    expectKilled(["ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"]));

  test("S06 kernel machinery is out of reach", async () => {
    await expectKilled(["bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key"]);
    for (const number of [425, 426, 427])
      expect(await repl.value(`return syscall(${number}, 8, Buffer.alloc(128), 0, 0, 0, 0)`)).toBe(ENOSYS); // io_uring
    expect(await call("memfd_create", "x", 0)).toBe(EPERM);
    expect(await call("memfd_secret", 0)).toBe(EPERM);
    expect(await repl.value("return syscall(444, 0, 0, 0)")).toBe(ENOSYS);
  });

  test("S07 numbers of other tables", async () => {
    const victim = new JailedRepl(kit);
    expect(await victim.ask("return syscall(0x40000000 + 39)")).toMatchObject({ exit: { code: EXIT_SIGSYS } });
    for (const number of [471, 500, 1000]) expect(await repl.value(`return syscall(${number})`)).toBe(ENOSYS);
  });

  test("S08 no terminal", async () => {
    for (const request of [0x5412, 0x541c, 0x5423, 0x5410]) expect(await call("ioctl", 0, request, 0)).toBe(ENOTTY);
    expect(await repl.ask('require("node:fs").openSync("/dev/tty")')).toEqual({ error: "ENOENT" });
  });

  test("S10 signals reach nobody", async () => {
    expect(await call("kill", -1, 9)).toBe(EPERM);
    expect(await call("kill", 1, 9)).toBe(EPERM);
    expect(await call("tgkill", 2, 2, 9)).toBe(ESRCH);
    expect(await call("tkill", 1, 0)).toBe(EPERM);
  });

  test("S11 without a compiler no memory becomes executable", async () => {
    const strictKit = await replKit("nojit");
    const strict = new JailedRepl(strictKit, ["--jitless"]);
    try {
      expect(await strict.value("return typeof WebAssembly")).toBe("undefined");
      const anonymous = 0x22;
      const map = (protection: number): string => `syscall(9, 0, 4096, ${protection}, ${anonymous}, -1, 0)`;
      expect(await strict.value(`return [${map(7)}, ${map(5)}]`)).toEqual([EPERM, EPERM]);
      // Executable only, writable and executable, then readable again.
      expect(
        await strict.value(`const at = ${map(3)}; return [syscall(10, at, 4096, 4), syscall(10, at, 4096, 7), syscall(10, at, 4096, 1)]`),
      ).toEqual([EPERM, EPERM, 0]);
    } finally {
      await strict.close();
      await strictKit.cgroups?.close();
    }
  });

  test("S12 the process cannot change how it is confined", async () => {
    for (const option of [
      4 /* dumpable */, 8 /* keepcaps */, 22 /* seccomp */, 1 /* death signal */, 0x59616d61 /* tracer */, 24 /* bounding set */,
    ])
      expect(await call("prctl", option, 0, 0, 0, 0)).toBe(EPERM);
    expect(await call("prctl", 38, 0, 0, 0, 0)).toBe(EINVAL); // no_new_privs cannot be taken back
    expect(await call("seccomp", 1, 0, 0)).toBe(EPERM);
    expect(await repl.value("return syscall(302, 0, 7, Buffer.alloc(16, 1), 0)")).toBe(EPERM); // prlimit64
  });

  test("S14 nothing is shared with neighbours", async () => {
    for (const name of ["shmget", "msgget", "semget", "mq_open"] as const) expect(await call(name, 1, 4096, 0o1600)).toBe(EPERM);
  });

  test("S15 clock, host and kernel", () =>
    expectKilled([
      "settimeofday",
      "clock_settime",
      "adjtimex",
      "sethostname",
      "setdomainname",
      "swapon",
      "reboot",
      "kexec_load",
      "init_module",
      "finit_module",
      "delete_module",
      "syslog",
      "mount",
      "umount2",
      "pivot_root",
      "chroot",
    ]));

  test("S16 no descriptor can be sent to the host", async () => {
    for (const name of ["sendmsg", "recvmsg", "sendmmsg"] as const) expect(await call(name, 3, 0, 0, 0)).toBe(EPERM);
  });

  test("S17 all other calls that only an attack makes kill", async () => {
    const names = Object.keys(SYSCALL_NUMBERS).filter((name): name is SyscallName => isKilled(name as SyscallName));
    expect(names.length).toBeGreaterThan(50);
    await expectKilled(names);
  });

  test("C09 memory cannot be locked", async () => {
    expect(await call("mlock", 0, 4096)).toBe(EPERM);
    expect(await call("mlockall", 1)).toBe(EPERM);
    expect(await call("mmap", 0, 1 << 20, 3, 0x2022, -1, 0)).toBe(EAGAIN);
  });

  test("C10 priority and processor cannot be changed", async () => {
    expect(await call("setpriority", 0, 0, -20)).toBe(EPERM);
    expect(await call("sched_setscheduler", 0, 1, 0)).toBe(EPERM);
    expect(await call("sched_setaffinity", 0, 8, 0)).toBe(EPERM);
  });
});

function isKilled(name: SyscallName): boolean {
  const number = syscallNumber(name, "x86_64");
  return number !== undefined && policyOf("x86_64", "jit").get(number)?.kind === "kill";
}
