"""Handlers that attack the jail from Python, also through native calls. What they find out they return."""

import ctypes
import os
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
PROT_READ_WRITE_EXEC = 7
MAP_PRIVATE_ANONYMOUS = 0x22


def attempt(work):
    """What an attempt came to: its value, or the name of the error."""
    try:
        return str(work())
    except OSError as error:
        return f"errno {error.errno}"
    except BaseException as error:
        return type(error).__name__


def native(name, *arguments):
    """A call of the C library: its result, or `errno n`."""
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return f"errno {ctypes.get_errno()}" if result == -1 else str(result)


def syscall(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(each) for each in arguments))
    return f"errno {ctypes.get_errno()}" if result == -1 else str(result)


def grow_list(events):
    kept = []
    while True:
        kept.append(str(len(kept)) * 100)


def grow_bytes(events):
    kept = bytearray()
    while True:
        kept += b"x" * (1 << 20)


def big_text(events):
    return len("x" * 10**10)


def big_number(events):
    return (10 ** (10**8)) % 7


def deep_repr(events):
    nested = []
    for _ in range(500_000):
        nested = [nested]
    return len(repr(nested))


def make_processes(events):
    import multiprocessing
    import subprocess

    return {
        "fork": attempt(os.fork),
        "vfork": native("vfork"),
        "spawn": attempt(lambda: os.posix_spawn("/usr/bin/python3", ["python3"], {})),
        "subprocess": attempt(lambda: subprocess.run([sys.executable, "-c", "1"], check=True)),
        "system": attempt(lambda: os.system("true")),
        "multiprocessing": attempt(lambda: multiprocessing.get_context("fork").Process(target=print).start()),
        "clone3": syscall(435, 0, 0),
    }


def make_threads(events):
    made = []
    stop = threading.Event()
    try:
        for _ in range(1000):
            thread = threading.Thread(target=stop.wait, daemon=True)
            thread.start()
            made.append(thread)
    except RuntimeError:
        pass
    stop.set()
    return len(made)


def write_files(events):
    places = ["/tmp/x", "/x", "/app/x", "/app/runner.py", "/package/x", "/package/code/function_factory.py", "/dev/x", "/usr/x", "/scratch/x"]
    return {place: attempt(lambda place=place: open(place, "wb")) for place in places}


def read_files(events):
    return {path: attempt(lambda path=path: os.stat(path) and "there") for path in events[0]["paths"]}


def open_files(events):
    kept = []
    try:
        while True:
            kept.append(os.dup(2))
    except OSError:
        return len(kept)


def descriptors(events):
    import stat

    found = {}
    for fd in range(256):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        found[fd] = "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else "device" if stat.S_ISCHR(mode) else "file"
    return found


def environment(events):
    return {"environ": dict(os.environ), "argv": sys.argv, "cwd": attempt(os.getcwd), "user": os.getuid() != 0}


def listing(events):
    return {path: attempt(lambda path=path: sorted(os.listdir(path))) for path in ("/", "/package", "/app", "/dev", "/proc", "/sys", "/etc", "/root", "/var")}


def refused_calls(events):
    import socket

    address = (ctypes.c_char * 16)()
    return {
        "socket": attempt(socket.socket),
        "socketpair": attempt(socket.socketpair),
        "connect": native("connect", 3, address, 16),
        "bind": native("bind", 3, address, 16),
        "listen": native("listen", 3, 1),
        "accept": native("accept", 3, None, None),
        "sendmsg": native("sendmsg", 3, address, 0),
        "memfd_create": native("memfd_create", b"x", 0),
        "io_uring_setup": syscall(425, 8, 0),
        "shmget": native("shmget", 0, 4096, 0o1600),
        "msgget": native("msgget", 0, 0o1600),
        "kill all": attempt(lambda: os.kill(-1, 9)),
        "kill init": attempt(lambda: os.kill(1, 0)),
        "rwx": attempt(lambda: native("mmap", None, 4096, PROT_READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0)),
        "mlock": native("mlockall", 3),
        "nice": native("setpriority", 0, 0, -5),
        "dumpable": native("prctl", 4, 1, 0, 0, 0),
        "seccomp": native("prctl", 22, 1, 0, 0, 0),
        "no_new_privs off": native("prctl", 38, 0, 0, 0, 0),
        "setuid": native("setuid", 0),
        "rlimit": attempt(raise_limit),
        "tiocsti": attempt(lambda: native("ioctl", 0, 0x5412, b"x")),
        "unknown": syscall(999),
    }


def raise_limit():
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))


# What the kernel ends a process for, by its number on x86-64.
KILLED = {"ptrace": 101, "process_vm_readv": 310, "unshare": 272, "setns": 308, "bpf": 321, "mount": 165, "reboot": 169, "keyctl": 250, "x32": 0x40000000 + 39}


def killed_call(events):
    return syscall(KILLED[events[0]["name"]], 0, 0, 0, 0, 0)


def die(events):
    way = events[0]["way"]
    if way == "exit":
        os._exit(0)
    if way == "abort":
        os.abort()
    if way == "kill":
        signal.raise_signal(signal.SIGKILL)
    if way == "segfault":
        ctypes.string_at(0)
    if way == "close":
        os.close(3)
        time.sleep(10)


def forge(events):
    """Writes a result of its own for the open call, twice, and then ends."""
    envelope = b'{"type":"result","call":%d,"heapBytes":0,"observedTime":true,"observedRandom":true}' % events[0].get("call", 1)
    body = b'"forged"'
    frame = (4 + len(envelope) + len(body)).to_bytes(4, "little") + len(envelope).to_bytes(4, "little") + envelope + body
    os.write(3, frame * 2)
    time.sleep(5)


def garbage(events):
    os.write(3, b"\xff" * 64)
    time.sleep(5)


def print_much(events):
    for _ in range(64):
        print("x" * (1 << 24))


def print_lines(events):
    for number in range(1_000_000):
        print(number)


def spin(events):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def patch(events):
    import json

    found = getattr(json, "patched", False)
    json.patched = True
    json.dumps = lambda *_a, **_k: '"patched"'
    return found


function_factory = {name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == __name__}
