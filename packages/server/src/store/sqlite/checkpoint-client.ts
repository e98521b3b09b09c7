import { Worker } from "node:worker_threads";

export interface CheckpointSettings {
  readonly databaseFile: string;
}

export interface CheckpointResult {
  /** Pages of the write-ahead log that are not in the database file. */
  readonly pagesLeft: number;
}

/** The host's end of the checkpoint thread, which is started at the first need: an idle host has none. */
export class CheckpointClient {
  readonly #settings: CheckpointSettings;
  #worker: Worker | undefined;

  constructor(settings: CheckpointSettings) {
    this.#settings = settings;
  }

  /** Moves what can be moved. One call at a time. Undefined when the thread failed. */
  move(): Promise<CheckpointResult | undefined> {
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve) => {
      const end = (result?: CheckpointResult): void => {
        worker.off("message", end);
        worker.off("exit", lost);
        resolve(result);
      };
      const lost = (): void => end();
      worker.on("message", end);
      worker.on("exit", lost);
      worker.postMessage("move");
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    worker.postMessage("close");
    await ended;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), {
      name: "plinth-checkpoint",
      workerData: this.#settings,
      execArgv: [],
    });
    // A failed checkpoint loses nothing: the log stays as it is, and the next need starts a new thread.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }
}
