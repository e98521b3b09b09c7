/** What was started, to be stopped in the reverse order, whether the start came to its end or not. */
import type { Log } from "./telemetry/log.ts";

export class Shutdown {
  readonly #steps: { readonly id: string; readonly stop: () => Promise<void> | void }[] = [];
  #running: Promise<void> | undefined;

  add(id: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ id, stop });
  }

  /** Stops everything once. A step that fails is logged and does not keep the others from stopping. */
  run(log: Log): Promise<void> {
    this.#running ??= this.#runSteps(log);
    return this.#running;
  }

  async #runSteps(log: Log): Promise<void> {
    for (const { id, stop } of this.#steps.toReversed()) {
      try {
        await stop();
      } catch (error) {
        log.error({ err: error, part: id }, "a part of the host did not stop in order");
      }
    }
  }
}
