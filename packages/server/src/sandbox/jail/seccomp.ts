/**
 * The seccomp policy of the jail and its compiler to the kernel's filter machine (classic BPF).
 *
 * Owns: which system calls a jailed process may make. Crosses the boundary: the compiled filter, given
 * to bubblewrap as bytes. Invariants:
 *
 * - C1: a call that the policy does not name fails with ENOSYS; so does every call of a future kernel.
 * - C2: calls of another architecture or of the x32 table kill the process.
 * - C3: no process can be made: `clone` makes threads only, `fork`, `vfork` fail, `clone3` is unknown
 *   (libc then falls back to `clone`).
 * - C4: no socket can be made, no file changed (but in the scratch folder of a jail that has one, where there are files and
 *   folders only), no memory shared with another process.
 * - C5: calls that only an attack makes kill the process, which the host reports as a security violation.
 */
import { assert, must } from "@plinth/core/assert.ts";
import { type Architecture, type SyscallName, SYSCALL_NUMBERS, syscallNumber } from "./syscalls.ts";

export type JailProfile = "jit" | "nojit";

/** Which of the filters a jail gets. */
export interface FilterKind {
  readonly profile: JailProfile;
  /** The jail has a scratch folder. Everything else it sees is mounted read-only, which then alone keeps it from being changed. */
  readonly scratch: boolean;
}

const EPERM = 1;
const ENOTTY = 25;
const EROFS = 30;
const ENOSYS = 38;

const ALLOWED = words(`
  read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack pread64 pwrite64 readv writev
  access faccessat faccessat2 stat lstat newfstatat statx readlink readlinkat openat getcwd chdir getdents64 sched_yield mremap madvise
  nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time getcpu restart_syscall getpid gettid getppid getuid geteuid
  getgid getegid capget exit exit_group uname sysinfo getrusage times arch_prctl futex set_robust_list get_robust_list
  set_tid_address rseq membarrier sched_getaffinity sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min
  getpriority getrlimit epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll pselect6 eventfd2 pipe2 dup dup2 dup3
  getsockopt getsockname shutdown getrandom execve tgkill
`);

/** Refused without noise: programs try them and go on. */
const REFUSED = words(`
  socket socketpair connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg setsockopt getpeername fork
  vfork kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal memfd_create memfd_secret mlock mlock2 mlockall
  munlock munlockall setpriority sched_setaffinity sched_setscheduler sched_setparam sched_setattr ioprio_set setuid setgid setreuid
  setregid setresuid setresgid setfsuid setfsgid setgroups capset setsid setpgid setrlimit seccomp shmget shmat shmctl shmdt msgget
  msgsnd msgrcv msgctl semget semop semctl semtimedop mq_open mq_unlink ftruncate fallocate flock fsync fdatasync pkey_alloc
  pkey_free remap_file_pages splice tee vmsplice sendfile copy_file_range
`);

/** Writing calls on a file system without one writable file. */
const READ_ONLY = words(`
  open creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat chmod fchmod
  fchmodat chown lchown fchown fchownat truncate utime utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr
  lremovexattr fremovexattr
`);

/** Of the calls that change files, those that a jail with a scratch folder may make. Links and special files stay refused. */
const SCRATCH = words(`
  mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 chmod fchmod fchmodat truncate ftruncate fallocate utime utimes
  utimensat futimesat fsync fdatasync flock
`);

/** Nothing that belongs in a jail makes these. */
const KILLED = words(`
  ptrace process_vm_readv process_vm_writev process_madvise process_mrelease bpf perf_event_open userfaultfd keyctl add_key
  request_key mount umount2 pivot_root chroot unshare setns move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr
  init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff iopl ioperm modify_ldt open_by_handle_at
  name_to_handle_at kcmp pidfd_getfd execveat acct quotactl quotactl_fd settimeofday clock_settime clock_adjtime adjtimex
  sethostname setdomainname syslog vhangup nfsservctl lookup_dcookie
`);

/** Calls that depend on an argument. */
const CHECKED: Readonly<Partial<Record<SyscallName, (profile: JailProfile) => ArgumentCheck>>> = {
  // CLONE_VM and CLONE_THREAD set, no CLONE_NEW*.
  clone: () => ({ argument: 0, mask: 0x7e030100, allowed: [0x00010100], otherwise: EPERM }),
  ioctl: () => ({
    argument: 1,
    allowed: [0x5421 /* FIONBIO */, 0x5450 /* FIONCLEX */, 0x5451 /* FIOCLEX */, 0x541b /* FIONREAD */],
    otherwise: ENOTTY,
  }),
  prctl: () => ({
    argument: 0,
    allowed: [15 /* SET_NAME */, 16 /* GET_NAME */, 38 /* SET_NO_NEW_PRIVS */, 0x53564d41 /* SET_VMA */],
    otherwise: EPERM,
  }),
  fcntl: () => ({ argument: 1, allowed: [0, 1, 2, 3, 4, 1030] /* DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC */, otherwise: EPERM }),
  // Own limits may be read, not set.
  prlimit64: () => ({ argument: 0, allowed: [0], and: { argument: 2, allowed: [0] }, otherwise: EPERM }),
  mprotect: (profile) => (profile === "jit" ? ALWAYS : NO_EXECUTE),
  pkey_mprotect: (profile) => (profile === "jit" ? ALWAYS : NO_EXECUTE),
  // Libraries are mapped executable from their files; anonymous executable memory is a compiler's.
  mmap: (profile) => (profile === "jit" ? ALWAYS : { ...NO_EXECUTE, or: { argument: 3, mask: 0x20 /* MAP_ANONYMOUS */, allowed: [0] } }),
};

interface ArgumentTest {
  /** Position of the argument. Its low word is compared: the kernel takes all of these as 32-bit values, or a null pointer (see `and`). */
  readonly argument: number;
  readonly mask?: number;
  readonly allowed: readonly number[];
}

interface ArgumentCheck extends ArgumentTest {
  /** Must hold too; both words are compared, so that a pointer cannot pass as 0. */
  readonly and?: ArgumentTest;
  /** Is enough in place of the test itself. */
  readonly or?: ArgumentTest;
  readonly otherwise: number;
}

const ALWAYS: ArgumentCheck = { argument: 0, mask: 0, allowed: [0], otherwise: EPERM };
const NO_EXECUTE: ArgumentCheck = { argument: 2, mask: 0x4 /* PROT_EXEC */, allowed: [0], otherwise: EPERM };

export type Verdict =
  | { readonly kind: "allow" }
  | { readonly kind: "errno"; readonly errno: number }
  | { readonly kind: "kill" }
  | { readonly kind: "check"; readonly check: ArgumentCheck };

const DEFAULT: Verdict = { kind: "errno", errno: ENOSYS };

/** The verdict for each named call number of an architecture. */
export function policyOf(architecture: Architecture, profile: JailProfile, scratch = false): ReadonlyMap<number, Verdict> {
  const verdicts = new Map<number, Verdict>();
  const add = (name: SyscallName, verdict: Verdict): void => {
    const number = syscallNumber(name, architecture);
    if (number === undefined) return;
    assert(!verdicts.has(number), `the call ${name} has two verdicts`);
    verdicts.set(number, verdict);
  };
  const writing = new Set(scratch ? SCRATCH : []);
  for (const name of [...ALLOWED, ...writing]) add(name, { kind: "allow" });
  for (const name of REFUSED) if (!writing.has(name)) add(name, { kind: "errno", errno: EPERM });
  // Where something can be written, "read-only" would be a lie.
  for (const name of READ_ONLY) if (!writing.has(name)) add(name, { kind: "errno", errno: scratch ? EPERM : EROFS });
  for (const name of KILLED) add(name, { kind: "kill" });
  for (const [name, check] of Object.entries(CHECKED)) {
    if (isSyscallName(name)) add(name, { kind: "check", check: check(profile) });
  }
  return verdicts;
}

// The filter machine: struct sock_filter { u16 code; u8 jt, jf; u32 k }.
interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const OFFSET_ARGUMENTS = 16;

const RETURN_ALLOW = 0x7fff0000;
const RETURN_ERRNO = 0x00050000;
const RETURN_KILL_PROCESS = 0x80000000;

const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
const X32_BIT = 0x40000000;
const INSTRUCTIONS_MAX_OF_KERNEL = 4096;

/** Compiles the policy to the bytes that the kernel takes. */
export function compileSeccompFilter(architecture: Architecture, profile: JailProfile, scratch = false): Uint8Array {
  const kill = answer({ kind: "kill" });
  const program = [
    op(LOAD, OFFSET_ARCHITECTURE),
    jumpIf(JUMP_EQUAL, AUDIT_ARCHITECTURE[architecture], 1, 0),
    ...kill,
    op(LOAD, OFFSET_NUMBER),
    jumpIf(JUMP_GREATER_EQUAL, X32_BIT, 0, 1),
    ...kill,
    ...searchTree(segmentsOf(policyOf(architecture, profile, scratch))),
  ];
  assert(program.length <= INSTRUCTIONS_MAX_OF_KERNEL, "the filter is longer than the kernel takes");
  return serialise(program);
}

interface Segment {
  readonly start: number;
  readonly verdict: Verdict;
}

/** Runs of call numbers with the same verdict, in order, from 0 on. */
function segmentsOf(policy: ReadonlyMap<number, Verdict>): readonly Segment[] {
  const segments: Segment[] = [];
  const last = Math.max(...policy.keys());
  for (let number = 0; number <= last + 1; number++) {
    const verdict = policy.get(number) ?? DEFAULT;
    const previous = segments.at(-1)?.verdict;
    if (previous === undefined || !isSame(previous, verdict)) segments.push({ start: number, verdict });
  }
  return segments;
}

function isSame(a: Verdict, b: Verdict): boolean {
  if (a.kind === "check" || b.kind === "check") return false;
  return a.kind === b.kind && (a.kind !== "errno" || (b.kind === "errno" && a.errno === b.errno));
}

/** A binary search over the segments; the accumulator holds the call number. */
function searchTree(segments: readonly Segment[]): readonly Instruction[] {
  const first = must(segments[0], "a filter has segments");
  if (segments.length === 1) return answer(first.verdict);
  const middle = segments.length >> 1;
  const lower = searchTree(segments.slice(0, middle));
  const upper = searchTree(segments.slice(middle));
  const pivot = must(segments[middle], "the middle lies within").start;
  // Conditional jumps reach 255 instructions, so the far side is reached by a plain jump.
  return [jumpIf(JUMP_GREATER_EQUAL, pivot, 0, 1), op(JUMP, lower.length), ...lower, ...upper];
}

function answer(verdict: Verdict): readonly Instruction[] {
  switch (verdict.kind) {
    case "allow":
      return [op(RETURN, RETURN_ALLOW)];
    case "errno":
      return [op(RETURN, RETURN_ERRNO | verdict.errno)];
    case "kill":
      return [op(RETURN, RETURN_KILL_PROCESS)];
    case "check":
      return checkArguments(verdict.check);
  }
}

function checkArguments(check: ArgumentCheck): readonly Instruction[] {
  const allow = op(RETURN, RETURN_ALLOW);
  const refuse = op(RETURN, RETURN_ERRNO | check.otherwise);
  if (check.and !== undefined)
    return [...unless(check, refuse), ...unless(check.and, refuse), ...unlessHighWordIsZero(check.and.argument, refuse), allow];
  const alternatives = [check, ...(check.or === undefined ? [] : [check.or])];
  return [...alternatives.flatMap((test) => when(test, allow)), refuse];
}

/** Ends with `result` when the test holds, otherwise goes on. */
function when(test: ArgumentTest, result: Instruction): readonly Instruction[] {
  const compare = test.allowed.map((value, index) =>
    jumpIf(JUMP_EQUAL, value, test.allowed.length - 1 - index, index === test.allowed.length - 1 ? 1 : 0),
  );
  return [...loadArgument(test), ...compare, result];
}

/** Ends with `result` when the test does not hold, otherwise goes on. */
function unless(test: ArgumentTest, result: Instruction): readonly Instruction[] {
  const compare = test.allowed.map((value, index) => jumpIf(JUMP_EQUAL, value, test.allowed.length - index, 0));
  return [...loadArgument(test), ...compare, result];
}

function unlessHighWordIsZero(argument: number, result: Instruction): readonly Instruction[] {
  return [op(LOAD, OFFSET_ARGUMENTS + 8 * argument + 4), jumpIf(JUMP_EQUAL, 0, 1, 0), result];
}

function loadArgument(test: ArgumentTest): readonly Instruction[] {
  const load = op(LOAD, OFFSET_ARGUMENTS + 8 * test.argument);
  return test.mask === undefined ? [load] : [load, op(AND, test.mask)];
}

function op(code: number, k: number): Instruction {
  return { code, jt: 0, jf: 0, k };
}

function jumpIf(code: number, k: number, jt: number, jf: number): Instruction {
  assert(jt <= 255 && jf <= 255, "a conditional jump is too far");
  return { code, jt, jf, k };
}

function serialise(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach((instruction, index) => {
    view.setUint16(index * 8, instruction.code, true);
    view.setUint8(index * 8 + 2, instruction.jt);
    view.setUint8(index * 8 + 3, instruction.jf);
    view.setUint32(index * 8 + 4, instruction.k >>> 0, true);
  });
  return bytes;
}

function words(text: string): readonly SyscallName[] {
  return text
    .trim()
    .split(/\s+/)
    .map((name) => {
      assert(isSyscallName(name), `the call ${name} is not in the table`);
      return name;
    });
}

function isSyscallName(name: string): name is SyscallName {
  return Object.hasOwn(SYSCALL_NUMBERS, name);
}
