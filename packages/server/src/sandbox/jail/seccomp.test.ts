import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { compileSeccompFilter, type JailProfile, policyOf, type Verdict } from "./seccomp.ts";
import { type Architecture, type SyscallName, SYSCALL_NUMBERS, syscallNumber } from "./syscalls.ts";

const ARCHITECTURES: readonly Architecture[] = ["x86_64", "aarch64"];
const PROFILES: readonly JailProfile[] = ["jit", "nojit"];
const AUDIT: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
const KILL = "kill";
const ALLOW = "allow";

/** The kernel's filter machine, as far as seccomp uses it. */
function run(
  filter: Uint8Array,
  data: { readonly number: number; readonly architecture: number; readonly args?: readonly bigint[] },
): string {
  const input = new DataView(new ArrayBuffer(64));
  input.setUint32(0, data.number, true);
  input.setUint32(4, data.architecture, true);
  (data.args ?? []).forEach((value, index) => input.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true));
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const code = program.getUint16(at * 8, true);
    const k = program.getUint32(at * 8 + 4, true);
    const jump = (taken: boolean): void => {
      at += program.getUint8(at * 8 + (taken ? 2 : 3));
    };
    if (code === 0x20) accumulator = input.getUint32(k, true);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x06) return k === 0x80000000 ? KILL : k === 0x7fff0000 ? ALLOW : `errno ${k & 0xffff}`;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the program ran past its end");
}

function verdictOf(
  name: SyscallName,
  args: readonly bigint[] = [],
  profile: JailProfile = "jit",
  architecture: Architecture = "x86_64",
): string {
  const number = syscallNumber(name, architecture);
  if (number === undefined) throw new Error(`${name} is not there`);
  return run(compileSeccompFilter(architecture, profile), { number, architecture: AUDIT[architecture], args });
}

function textOf(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "errno 38";
  if (verdict.kind === "errno") return `errno ${verdict.errno}`;
  return verdict.kind;
}

describe.each(ARCHITECTURES.flatMap((architecture) => PROFILES.map((profile) => ({ architecture, profile }))))(
  "filter of $architecture $profile",
  ({ architecture, profile }) => {
    const filter = compileSeccompFilter(architecture, profile);
    const policy = policyOf(architecture, profile);

    test("every number from 0 to 470 gets the verdict of the policy (C1)", () => {
      for (let number = 0; number <= 470; number++) {
        const verdict = policy.get(number);
        if (verdict?.kind === "check") continue;
        expect(`${number}: ${run(filter, { number, architecture: AUDIT[architecture] })}`).toBe(`${number}: ${textOf(verdict)}`);
      }
    });

    test("numbers far out are unknown", () => {
      for (const number of [471, 1000, 0x3fffffff]) expect(run(filter, { number, architecture: AUDIT[architecture] })).toBe("errno 38");
    });

    test("other architectures and x32 numbers kill (C2)", () => {
      for (const other of [0x40000003, 0xc00000b7, 0xc000003e, 0].filter((each) => each !== AUDIT[architecture]))
        expect(run(filter, { number: 0, architecture: other })).toBe(KILL);
      for (const number of [0x40000000, 0x40000001, 0x40000208, 0x7fffffff, 0xffffffff])
        expect(run(filter, { number, architecture: AUDIT[architecture] })).toBe(KILL);
    });

    test("no two calls share a number", () => {
      const numbers = Object.values(SYSCALL_NUMBERS)
        .map((pair) => pair[architecture === "x86_64" ? 0 : 1])
        .filter((number) => number >= 0);
      expect(new Set(numbers).size).toBe(numbers.length);
    });
  },
);

test("the compiled filters are the reviewed ones", () => {
  const hashes = ARCHITECTURES.flatMap((architecture) =>
    PROFILES.flatMap((profile) =>
      [false, true].map((scratch) => {
        const digest = createHash("sha256")
          .update(compileSeccompFilter(architecture, profile, scratch))
          .digest("hex");
        return `${architecture} ${profile}${scratch ? " scratch" : ""} ${digest.slice(0, 16)}`;
      }),
    ),
  );
  // A change here is a change of what a jailed process may do: look at it before you accept it.
  expect(hashes).toMatchInlineSnapshot(`
    [
      "x86_64 jit 7a88bea437f9aff1",
      "x86_64 jit scratch 3e2c68fe8a7919e1",
      "x86_64 nojit 69c3aadf688af3b1",
      "x86_64 nojit scratch 60cd8d6f4ae39290",
      "aarch64 jit f9126cace3935994",
      "aarch64 jit scratch 2a2e7232e9f49e09",
      "aarch64 nojit 5b024f3556485cf5",
      "aarch64 nojit scratch 7ba14d97b53863d4",
    ]
  `);
});

test("a jail with a scratch folder may change files and make folders, but no links and special files", () => {
  const strict = policyOf("x86_64", "jit");
  const scratch = policyOf("x86_64", "jit", true);
  const name = new Map<number, string>(Object.entries(SYSCALL_NUMBERS).map(([each, [number]]) => [number, each]));
  const more = [...scratch].filter(([number, verdict]) => verdict.kind === "allow" && strict.get(number)?.kind !== "allow");
  const writing =
    "chmod fallocate fchmod fchmodat fdatasync flock fsync ftruncate futimesat mkdir mkdirat rename renameat renameat2 rmdir truncate unlink unlinkat utime utimensat utimes";
  expect(new Set(more.map(([number]) => name.get(number)))).toEqual(new Set(writing.split(" ")));
  expect(new Set(scratch.keys())).toEqual(new Set(strict.keys()));
});

describe("what the policy says, name by name", () => {
  test.each(["read", "write", "futex", "epoll_pwait", "munmap", "madvise", "openat", "execve", "exit_group", "getrandom"] as const)(
    "%s is allowed",
    (name) => {
      expect(verdictOf(name)).toBe(ALLOW);
    },
  );

  test.each([
    "socket",
    "connect",
    "bind",
    "socketpair",
    "fork",
    "vfork",
    "kill",
    "memfd_create",
    "sendmsg",
    "recvmsg",
    "seccomp",
    "shmget",
    "splice",
  ] as const)("%s is refused (C3, C4)", (name) => {
    expect(verdictOf(name)).toBe("errno 1");
  });

  test.each(["mkdirat", "unlinkat", "renameat2", "linkat", "symlinkat", "mknodat", "open", "chmod", "truncate"] as const)(
    "%s finds a read-only file system (C4)",
    (name) => {
      expect(verdictOf(name)).toBe("errno 30");
    },
  );

  test.each([
    "ptrace",
    "process_vm_readv",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "keyctl",
    "mount",
    "unshare",
    "setns",
    "kexec_load",
    "init_module",
    "reboot",
    "open_by_handle_at",
    "execveat",
    "pidfd_getfd",
    "modify_ldt",
  ] as const)("%s kills (C5)", (name) => {
    expect(verdictOf(name)).toBe(KILL);
  });

  test("what it does not name is unknown: io_uring, clone3, landlock, inotify, timerfd (C1)", () => {
    for (const number of [425, 426, 427, 435, 444, 253, 283])
      expect(run(compileSeccompFilter("x86_64", "jit"), { number, architecture: AUDIT.x86_64 })).toBe("errno 38");
  });

  test("clone makes threads only (C3)", () => {
    const thread = 0x3d0f00n; // what libc asks for
    expect(verdictOf("clone", [thread])).toBe(ALLOW);
    for (const flags of [
      17n,
      0x4111n,
      thread | 0x10000000n,
      thread | 0x20000n,
      thread | 0x40000000n,
      0x100n,
      0x10000n,
      0x1_003d_0f00n & 0xffff_ffff_0000_0000n,
    ])
      expect(verdictOf("clone", [flags])).toBe("errno 1");
  });

  test("ioctl allows what libuv needs and no terminal", () => {
    for (const request of [0x5421n, 0x5450n, 0x5451n, 0x541bn]) expect(verdictOf("ioctl", [0n, request])).toBe(ALLOW);
    for (const request of [0x5412n, 0x541cn, 0x5423n, 0x5401n, 0n]) expect(verdictOf("ioctl", [0n, request])).toBe("errno 25");
  });

  test("limits may be read and not set, of the own process only", () => {
    expect(verdictOf("prlimit64", [0n, 7n, 0n, 0x7fff_0000_0000n])).toBe(ALLOW);
    for (const args of [
      [1n, 7n, 0n, 0n],
      [0n, 7n, 4096n, 0n],
      [0n, 7n, 0x7fff_0000_0000n, 0n],
    ])
      expect(verdictOf("prlimit64", args)).toBe("errno 1");
  });

  test("prctl and fcntl do the harmless", () => {
    for (const option of [15n, 16n, 38n, 0x53564d41n]) expect(verdictOf("prctl", [option])).toBe(ALLOW);
    for (const option of [1n, 4n, 8n, 22n, 0x59616d61n]) expect(verdictOf("prctl", [option])).toBe("errno 1");
    for (const command of [0n, 1n, 2n, 3n, 4n, 1030n]) expect(verdictOf("fcntl", [0n, command])).toBe(ALLOW);
    for (const command of [5n, 6n, 8n, 10n, 1024n, 1031n, 1033n]) expect(verdictOf("fcntl", [0n, command])).toBe("errno 1");
  });

  test("without a compiler no memory becomes executable", () => {
    expect(verdictOf("mprotect", [0n, 4096n, 5n], "jit")).toBe(ALLOW);
    expect(verdictOf("mprotect", [0n, 4096n, 3n], "nojit")).toBe(ALLOW);
    expect(verdictOf("mprotect", [0n, 4096n, 5n], "nojit")).toBe("errno 1");
    expect(verdictOf("pkey_mprotect", [0n, 4096n, 7n], "nojit")).toBe("errno 1");
    expect(verdictOf("mmap", [0n, 4096n, 7n, 0x22n], "nojit")).toBe("errno 1");
    expect(verdictOf("mmap", [0n, 4096n, 5n, 0x2n], "nojit")).toBe(ALLOW);
    expect(verdictOf("mmap", [0n, 4096n, 3n, 0x22n], "nojit")).toBe(ALLOW);
    expect(verdictOf("mmap", [0n, 4096n, 7n, 0x22n], "jit")).toBe(ALLOW);
  });
});
