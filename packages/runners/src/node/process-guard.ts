/** The ways in which user code ends or inspects the process it shares with the runner. */

export interface ProcessEvents {
  /** `process.exit` was called; the process ends right after it. */
  exits(code: number | string | null | undefined): void;
  /** An error or a rejection that no code handles. */
  throwsUnheard(thrown: unknown): void;
  /** Whether a handle is the runner's own, which `process._getActiveHandles` does not show. */
  hides(handle: unknown): boolean;
}

interface ProcessInside {
  _getActiveHandles(): unknown[];
}

export function guardProcess(events: ProcessEvents): void {
  const exit = process.exit.bind(process);
  process.exit = (code?: number | string | null): never => {
    events.exits(code ?? process.exitCode ?? 0);
    return exit(code);
  };
  // A package that listens itself decides itself.
  process.on("uncaughtException", (error) => {
    if (process.listenerCount("uncaughtException") === 1) events.throwsUnheard(error);
  });
  process.on("unhandledRejection", (reason) => {
    if (process.listenerCount("unhandledRejection") === 1) events.throwsUnheard(reason);
  });
  const inside = process as unknown as ProcessInside;
  const activeHandles = inside._getActiveHandles.bind(process);
  inside._getActiveHandles = () => activeHandles().filter((handle) => !events.hides(handle));
}
