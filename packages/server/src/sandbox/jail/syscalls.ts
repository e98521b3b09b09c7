/**
 * Numbers of the system calls that the seccomp policy names, from the kernel's user headers:
 * `[x86_64, aarch64]`, -1 where the architecture has no such call. Calls that are not here get the
 * default verdict of the policy.
 */
export type Architecture = "x86_64" | "aarch64";

export const SYSCALL_NUMBERS = {
  read: [0, 63], write: [1, 64], open: [2, -1], close: [3, 57], stat: [4, -1], fstat: [5, 80], lstat: [6, -1], poll: [7, -1], lseek: [8, 62],
  mmap: [9, 222], mprotect: [10, 226], munmap: [11, 215], brk: [12, 214], rt_sigaction: [13, 134], rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139], ioctl: [16, 29], pread64: [17, 67], pwrite64: [18, 68], readv: [19, 65], writev: [20, 66], access: [21, -1],
  sched_yield: [24, 124], mremap: [25, 216], madvise: [28, 233], shmget: [29, 194], shmat: [30, 196], shmctl: [31, 195], dup: [32, 23],
  dup2: [33, -1], nanosleep: [35, 101], getpid: [39, 172], sendfile: [40, 71], socket: [41, 198], connect: [42, 203], accept: [43, 202],
  sendto: [44, 206], recvfrom: [45, 207], sendmsg: [46, 211], recvmsg: [47, 212], shutdown: [48, 210], bind: [49, 200], listen: [50, 201],
  getsockname: [51, 204], getpeername: [52, 205], socketpair: [53, 199], setsockopt: [54, 208], getsockopt: [55, 209], clone: [56, 220],
  fork: [57, -1], vfork: [58, -1], execve: [59, 221], exit: [60, 93], kill: [62, 129], uname: [63, 160], semget: [64, 190], semop: [65, 193],
  semctl: [66, 191], shmdt: [67, 197], msgget: [68, 186], msgsnd: [69, 189], msgrcv: [70, 188], msgctl: [71, 187], fcntl: [72, 25], flock: [73, 32],
  fsync: [74, 82], fdatasync: [75, 83], truncate: [76, 45], ftruncate: [77, 46], getcwd: [79, 17], rename: [82, -1], mkdir: [83, -1],
  rmdir: [84, -1], creat: [85, -1], link: [86, -1], unlink: [87, -1], symlink: [88, -1], readlink: [89, -1], chmod: [90, -1], fchmod: [91, 52],
  chown: [92, -1], fchown: [93, 55], lchown: [94, -1], gettimeofday: [96, 169], getrlimit: [97, 163], getrusage: [98, 165], sysinfo: [99, 179],
  times: [100, 153], ptrace: [101, 117], getuid: [102, 174], syslog: [103, 116], getgid: [104, 176], setuid: [105, 146], setgid: [106, 144],
  geteuid: [107, 175], getegid: [108, 177], setpgid: [109, 154], getppid: [110, 173], setsid: [112, 157], setreuid: [113, 145], setregid: [114, 143],
  setgroups: [116, 159], setresuid: [117, 147], setresgid: [119, 149], setfsuid: [122, 151], setfsgid: [123, 152], capget: [125, 90],
  capset: [126, 91], rt_sigqueueinfo: [129, 138], sigaltstack: [131, 132], utime: [132, -1], mknod: [133, -1], getpriority: [140, 141],
  setpriority: [141, 140], sched_setparam: [142, 118], sched_getparam: [143, 121], sched_setscheduler: [144, 119], sched_getscheduler: [145, 120],
  sched_get_priority_max: [146, 125], sched_get_priority_min: [147, 126], mlock: [149, 228], munlock: [150, 229], mlockall: [151, 230],
  munlockall: [152, 231], vhangup: [153, 58], modify_ldt: [154, -1], pivot_root: [155, 41], prctl: [157, 167], arch_prctl: [158, -1],
  adjtimex: [159, 171], setrlimit: [160, 164], chroot: [161, 51], acct: [163, 89], settimeofday: [164, 170], mount: [165, 40], umount2: [166, 39],
  swapon: [167, 224], swapoff: [168, 225], reboot: [169, 142], sethostname: [170, 161], setdomainname: [171, 162], iopl: [172, -1],
  ioperm: [173, -1], init_module: [175, 105], delete_module: [176, 106], quotactl: [179, 60], nfsservctl: [180, 42], gettid: [186, 178],
  setxattr: [188, 5], lsetxattr: [189, 6], fsetxattr: [190, 7], removexattr: [197, 14], lremovexattr: [198, 15], fremovexattr: [199, 16],
  tkill: [200, 130], time: [201, -1], futex: [202, 98], sched_setaffinity: [203, 122], sched_getaffinity: [204, 123], lookup_dcookie: [212, 18],
  remap_file_pages: [216, 234], getdents64: [217, 61], set_tid_address: [218, 96], restart_syscall: [219, 128], semtimedop: [220, 192],
  clock_settime: [227, 112], clock_gettime: [228, 113], clock_getres: [229, 114], clock_nanosleep: [230, 115], exit_group: [231, 94],
  epoll_wait: [232, -1], epoll_ctl: [233, 21], tgkill: [234, 131], utimes: [235, -1], mq_open: [240, 180], mq_unlink: [241, 181],
  kexec_load: [246, 104], add_key: [248, 217], request_key: [249, 218], keyctl: [250, 219], ioprio_set: [251, 30], openat: [257, 56],
  mkdirat: [258, 34], mknodat: [259, 33], fchownat: [260, 54], futimesat: [261, -1], newfstatat: [262, 79], unlinkat: [263, 35], renameat: [264, 38],
  linkat: [265, 37], symlinkat: [266, 36], readlinkat: [267, 78], fchmodat: [268, 53], faccessat: [269, 48], pselect6: [270, 72], ppoll: [271, 73],
  unshare: [272, 97], set_robust_list: [273, 99], get_robust_list: [274, 100], splice: [275, 76], tee: [276, 77], vmsplice: [278, 75],
  utimensat: [280, 88], epoll_pwait: [281, 22], fallocate: [285, 47], accept4: [288, 242], eventfd2: [290, 19], epoll_create1: [291, 20],
  dup3: [292, 24], pipe2: [293, 59], rt_tgsigqueueinfo: [297, 240], perf_event_open: [298, 241], recvmmsg: [299, 243], prlimit64: [302, 261],
  name_to_handle_at: [303, 264], open_by_handle_at: [304, 265], clock_adjtime: [305, 266], sendmmsg: [307, 269], setns: [308, 268],
  getcpu: [309, 168], process_vm_readv: [310, 270], process_vm_writev: [311, 271], kcmp: [312, 272], finit_module: [313, 273],
  sched_setattr: [314, 274], renameat2: [316, 276], seccomp: [317, 277], getrandom: [318, 278], memfd_create: [319, 279],
  kexec_file_load: [320, 294], bpf: [321, 280], execveat: [322, 281], userfaultfd: [323, 282], membarrier: [324, 283], mlock2: [325, 284],
  copy_file_range: [326, 285], pkey_mprotect: [329, 288], pkey_alloc: [330, 289], pkey_free: [331, 290], statx: [332, 291], rseq: [334, 293],
  pidfd_send_signal: [424, 424], open_tree: [428, 428], move_mount: [429, 429], fsopen: [430, 430], fsconfig: [431, 431], fsmount: [432, 432],
  fspick: [433, 433], pidfd_open: [434, 434], pidfd_getfd: [438, 438], faccessat2: [439, 439], process_madvise: [440, 440], epoll_pwait2: [441, 441],
  mount_setattr: [442, 442], quotactl_fd: [443, 443], memfd_secret: [447, 447], process_mrelease: [448, 448],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type SyscallName = keyof typeof SYSCALL_NUMBERS;

/** The number of a call, or undefined where the architecture does not have it. */
export function syscallNumber(name: SyscallName, architecture: Architecture): number | undefined {
  const number = SYSCALL_NUMBERS[name][architecture === "x86_64" ? 0 : 1];
  return number < 0 ? undefined : number;
}
