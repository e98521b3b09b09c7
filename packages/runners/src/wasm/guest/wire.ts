/** What the runner and the program in its isolate tell each other. Texts and buffers only; they are copied. */

export interface CallSettings {
  readonly call: number;
  /** The function, and the program's name. */
  readonly name: string;
  readonly env: readonly string[];
  /** Realtime at the start. */
  readonly nowMs: number;
  /** 64 hexadecimal digits. */
  readonly randomKey: string;
  readonly resultBytes: number;
  readonly logLines: number;
  readonly logLineBytes: number;
  readonly pollSubscriptionsMax: number;
}

export interface CallReport {
  readonly end:
    | { readonly kind: "exit"; readonly code: number }
    | { readonly kind: "tooLarge" }
    /** A trap, or what else ended the module: as text. */
    | { readonly kind: "trap"; readonly name: string; readonly message: string; readonly stack: string };
  readonly stdout: ArrayBuffer;
  /** The last line of standard error that is not empty; a character for each byte. */
  readonly lastLine: string;
  readonly linesDropped: number;
  readonly memoryBytes: number;
  readonly observedTime: boolean;
  readonly observedRandom: boolean;
}

/** A line of standard error, a character for each byte. */
export type PostLine = (call: number, line: string, truncated: boolean) => void;
