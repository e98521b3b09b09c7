/** Unpacks archives of strangers into folders of ours, a few at a time, each in a thread of its own. */
import { Worker } from "node:worker_threads";
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { Slots } from "./slots.ts";
import type { UnpackReply, UnpackRequest, UnpackSettings } from "./unpack-protocol.ts";

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
  /** Compressed; see `file-list.ts`. */
  readonly fileList: Uint8Array;
}

const MIB = 1024 * 1024;
const slots = new Slots(limit("unpacksMax"));

/**
 * Unpacks an archive (tar, plain or gzip or zstd) into an empty folder. Rejects with InvalidPackage when the archive is refused;
 * what is in the folder then is of no use. Errors of the source pass as they are. Tenants take turns.
 */
export async function unpackArchive(tenant: string, source: AsyncIterable<Uint8Array>, settings: UnpackSettings): Promise<Unpacked> {
  return await slots.run(tenant, () => unpackNow(source, settings));
}

async function unpackNow(source: AsyncIterable<Uint8Array>, settings: UnpackSettings): Promise<Unpacked> {
  const worker = new Worker(new URL("./unpack-thread.ts", import.meta.url), {
    name: "plinth-unpack",
    workerData: settings,
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: limit("unpackHeapBytesMax") / MIB },
  });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  try {
    return await converse(worker, source);
  } finally {
    await worker.terminate();
    await exited;
  }
}

async function converse(worker: Worker, source: AsyncIterable<Uint8Array>): Promise<Unpacked> {
  const replies = new Replies(worker);
  const pieces = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const reply = await replies.next();
      switch (reply.kind) {
        case "wanted":
          worker.postMessage(await nextPiece(pieces));
          break;
        case "done":
          return { files: reply.files, bytes: reply.bytes, fileList: reply.fileList };
        case "refused":
          throw plinthError("InvalidPackage", { detail: reply.detail });
        case "failed":
          throw plinthError("StoreFailure", { what: "unpack an archive" }, { cause: new Error(reply.detail) });
        default:
          reply satisfies never;
      }
    }
  } finally {
    await pieces.return?.();
  }
}

async function nextPiece(pieces: AsyncIterator<Uint8Array>): Promise<UnpackRequest> {
  const { done, value } = await pieces.next();
  return done === true ? { kind: "end" } : { kind: "piece", bytes: value };
}

/** What the thread says, one after the other; its unexpected end is an error. */
class Replies {
  readonly #ready: UnpackReply[] = [];
  #waiting: { resolve(reply: UnpackReply): void; reject(error: PlinthError): void } | undefined;
  #ended: PlinthError | undefined;

  constructor(worker: Worker) {
    worker.on("message", (reply: UnpackReply) => {
      if (this.#waiting === undefined) this.#ready.push(reply);
      else this.#waiting.resolve(reply);
      this.#waiting = undefined;
    });
    worker.on("error", (error: unknown) => {
      const outOfMemory = error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
      this.#end(
        outOfMemory
          ? plinthError("InvalidPackage", { detail: "the archive is refused: it takes too much memory to read." })
          : plinthError("StoreFailure", { what: "unpack an archive" }, { cause: error }),
      );
    });
    worker.on("exit", () => this.#end(plinthError("StoreFailure", { what: "unpack an archive: its thread ended" })));
  }

  next(): Promise<UnpackReply> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  #end(error: PlinthError): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }
}
