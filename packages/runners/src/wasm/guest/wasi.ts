/**
 * WASI preview 1 with nothing behind it: the three streams, the variables of the call, a clock and random numbers. Functions about
 * files, processes and sockets exist and refuse.
 *
 * A function gets numbers only, because the runner checked the signatures, and answers with an error number. It throws END alone.
 */
import type { WasiName } from "../wasi-functions.ts";
import { type CallState, END, STANDARD_ERROR, STANDARD_INPUT, STANDARD_OUTPUT } from "./call-state.ts";
import { ERRNO } from "./errno.ts";
import { FAULT, type GuestMemory } from "./guest-memory.ts";
import { pollOneoff } from "./poll.ts";
import { clockResolution, clockTime } from "./clocks.ts";

type Answer = (state: CallState, memory: GuestMemory, ...args: never[]) => number;

const VECTORS_MAX = 1024;
const VECTOR_BYTES = 8;
const FILETYPE_CHARACTER_DEVICE = 2;
const FDSTAT_BYTES = 24;
const FILESTAT_BYTES = 64;
const RIGHT_FD_READ = 2n;
const RIGHT_FD_WRITE = 64n;
const RIGHT_POLL = 1n << 27n;

/** For what has to do with an open file: the streams are none. */
const onStream =
  (errno: number): Answer =>
  (state, _memory, fd: number) =>
    state.open.has(fd) ? errno : ERRNO.badf;
const always =
  (errno: number): Answer =>
  () =>
    errno;

export const WASI: Readonly<Record<WasiName, Answer>> = {
  args_get: (state, memory, pointers: number, buffer: number) => putTexts(memory, state.args, { pointers, buffer }),
  args_sizes_get: (state, memory, count: number, bytes: number) => putSizes(memory, state.args, { count, bytes }),
  environ_get: (state, memory, pointers: number, buffer: number) => putTexts(memory, state.environment, { pointers, buffer }),
  environ_sizes_get: (state, memory, count: number, bytes: number) => putSizes(memory, state.environment, { count, bytes }),

  clock_res_get: (_state, memory, clock: number, result: number) => putU64(memory, result, clockResolution(clock)),
  clock_time_get: (state, memory, clock: number, _precision: bigint, result: number) => putU64(memory, result, clockTime(state, clock)),
  poll_oneoff: (state, memory, subscriptions: number, events: number, count: number, result: number) =>
    pollOneoff(state, memory, { subscriptions, events, count: count >>> 0, result }),
  random_get: (state, memory, pointer: number, length: number) => {
    state.random.fill(memory.bytes(pointer, length));
    return ERRNO.success;
  },
  sched_yield: always(ERRNO.success),
  proc_exit: (state, _memory, code: number) => {
    state.end = { kind: "exit", code: code >>> 0 };
    throw END;
  },
  proc_raise: always(ERRNO.nosys),

  fd_read: fdRead,
  fd_write: fdWrite,
  fd_close: (state, _memory, fd: number) => (state.open.delete(fd) ? ERRNO.success : ERRNO.badf),
  fd_fdstat_get: (state, memory, fd: number, result: number) => {
    if (!state.open.has(fd)) return ERRNO.badf;
    const bytes = memory.bytes(result, FDSTAT_BYTES);
    bytes.fill(0);
    bytes[0] = FILETYPE_CHARACTER_DEVICE;
    memory.setU64((result >>> 0) + 8, (fd === STANDARD_INPUT ? RIGHT_FD_READ : RIGHT_FD_WRITE) | RIGHT_POLL);
    return ERRNO.success;
  },
  fd_filestat_get: (state, memory, fd: number, result: number) => {
    if (!state.open.has(fd)) return ERRNO.badf;
    const bytes = memory.bytes(result, FILESTAT_BYTES);
    bytes.fill(0);
    bytes[16] = FILETYPE_CHARACTER_DEVICE;
    return ERRNO.success;
  },
  fd_fdstat_set_flags: onStream(ERRNO.success),
  fd_fdstat_set_rights: onStream(ERRNO.notsup),
  fd_seek: onStream(ERRNO.spipe),
  fd_tell: onStream(ERRNO.spipe),
  fd_pread: onStream(ERRNO.spipe),
  fd_pwrite: onStream(ERRNO.spipe),
  fd_sync: onStream(ERRNO.success),
  fd_datasync: onStream(ERRNO.success),
  fd_advise: onStream(ERRNO.spipe),
  fd_allocate: onStream(ERRNO.notsup),
  fd_filestat_set_size: onStream(ERRNO.inval),
  fd_filestat_set_times: onStream(ERRNO.notsup),
  fd_readdir: onStream(ERRNO.notcapable),
  fd_renumber: onStream(ERRNO.notsup),
  // No folder is open beforehand; libraries look for the first of them that is not there.
  fd_prestat_get: always(ERRNO.badf),
  fd_prestat_dir_name: always(ERRNO.badf),

  path_create_directory: always(ERRNO.notcapable),
  path_filestat_get: always(ERRNO.notcapable),
  path_filestat_set_times: always(ERRNO.notcapable),
  path_link: always(ERRNO.notcapable),
  path_open: always(ERRNO.notcapable),
  path_readlink: always(ERRNO.notcapable),
  path_remove_directory: always(ERRNO.notcapable),
  path_rename: always(ERRNO.notcapable),
  path_symlink: always(ERRNO.notcapable),
  path_unlink_file: always(ERRNO.notcapable),

  sock_accept: always(ERRNO.nosys),
  sock_recv: always(ERRNO.nosys),
  sock_send: always(ERRNO.nosys),
  sock_shutdown: always(ERRNO.nosys),
};

/** What a module of this call imports. */
export function importsOf(state: CallState): Readonly<Record<string, unknown>> {
  const imports: Record<string, unknown> = {};
  for (const [name, answer] of Object.entries(WASI))
    imports[name] = (...args: never[]): number | undefined => {
      // A module that caught its end goes on only until it asks for something.
      if (state.end !== undefined) throw END;
      if (state.memory === undefined) return ERRNO.fault;
      try {
        return answer(state, state.memory, ...args);
      } catch (error) {
        if (error === FAULT) return ERRNO.fault;
        throw error;
      }
    };
  return imports;
}

function putU64(memory: GuestMemory, pointer: number, value: bigint | undefined): number {
  if (value === undefined) return ERRNO.inval;
  memory.setU64(pointer, value);
  return ERRNO.success;
}

function putSizes(memory: GuestMemory, texts: readonly Uint8Array[], to: { readonly count: number; readonly bytes: number }): number {
  memory.setU32(to.count, texts.length);
  memory.setU32(
    to.bytes,
    texts.reduce((sum, text) => sum + text.length, 0),
  );
  return ERRNO.success;
}

function putTexts(memory: GuestMemory, texts: readonly Uint8Array[], to: { readonly pointers: number; readonly buffer: number }): number {
  let at = to.buffer >>> 0;
  for (const [index, text] of texts.entries()) {
    memory.setU32((to.pointers >>> 0) + index * 4, at);
    memory.bytes(at, text.length).set(text);
    at += text.length;
  }
  return ERRNO.success;
}

function fdRead(state: CallState, memory: GuestMemory, fd: number, vectors: number, count: number, result: number): number {
  if (fd !== STANDARD_INPUT || !state.open.has(fd)) return ERRNO.badf;
  return overVectors(memory, { vectors, count, result }, (bytes) => state.input.read(bytes));
}

function fdWrite(state: CallState, memory: GuestMemory, fd: number, vectors: number, count: number, result: number): number {
  if ((fd !== STANDARD_OUTPUT && fd !== STANDARD_ERROR) || !state.open.has(fd)) return ERRNO.badf;
  return overVectors(memory, { vectors, count, result }, (bytes) => {
    if (fd === STANDARD_ERROR) state.lines.write(bytes);
    else if (!state.output.write(bytes)) {
      state.end = { kind: "tooLarge" };
      throw END;
    }
    return bytes.length;
  });
}

/** Looks at every place before anything is read or written, so that a bad one changes nothing. */
function overVectors(
  memory: GuestMemory,
  at: { readonly vectors: number; readonly count: number; readonly result: number },
  each: (bytes: Uint8Array) => number,
): number {
  const count = at.count >>> 0;
  if (count > VECTORS_MAX) return ERRNO.inval;
  memory.bytes(at.result, 4);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = (at.vectors >>> 0) + i * VECTOR_BYTES;
    parts.push(memory.bytes(memory.u32(vector), memory.u32(vector + 4)));
  }
  let total = 0;
  for (const part of parts) {
    const moved = each(part);
    total += moved;
    if (moved < part.length) break;
  }
  memory.setU32(at.result, total);
  return ERRNO.success;
}
