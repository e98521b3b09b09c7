import { Worker } from "node:worker_threads";
import { must } from "@plinth/core/assert.ts";
import type { WriterReply, WriterRequest, WriterSettings } from "./writer-protocol.ts";

interface Waiting {
  resolve(reply: WriterReply): void;
  reject(error: WriterLost): void;
}

/** The writer thread ended before it answered: whether it did its work is seen in the database only. */
export class WriterLost extends Error {
  override name = "WriterLost";
}

/**
 * The host's end of the writer thread. Requests are answered in order. A thread that was lost is replaced
 * at the next request, after all requests that it left unanswered were rejected.
 */
export class WriterClient {
  readonly #settings: WriterSettings;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #cause: unknown;

  constructor(settings: WriterSettings) {
    this.#settings = settings;
  }

  request(request: WriterRequest): Promise<WriterReply> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, request.kind === "commit" ? [request.group] : []);
    });
  }

  /** Asks the thread to close the database and waits for its end. */
  async close(): Promise<void> {
    const worker = this.#worker ?? this.#start();
    this.#worker = worker;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    // A thread that is lost now has nothing left to write.
    await this.request({ kind: "close" }).catch(() => undefined);
    await ended;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), {
      name: "plinth-writer",
      workerData: this.#settings,
      execArgv: [],
    });
    worker.on("message", (reply: WriterReply) => must(this.#waiting.shift(), "every answer has a request").resolve(reply));
    worker.on("error", (error) => {
      this.#cause = error;
    });
    worker.on("exit", () => this.#lost(worker));
    return worker;
  }

  #lost(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    const lost = new WriterLost("the writer thread ended", { cause: this.#cause });
    for (const waiting of this.#waiting.splice(0)) waiting.reject(lost);
  }
}
