/**
 * Large values of a call that its code reads and writes by pieces, where the arguments and the result have handles of them. Who calls
 * decides what the code is given, and what becomes of what it writes.
 */

/** What code has of a value. Nobody can guess one, and one means something to the call alone that was given it. */
export interface ValueHandle {
  readonly valueHandle: string;
  readonly bytes: number;
  readonly contentType: string;
}

export interface ReadPiece {
  readonly body: Buffer;
  /** Nothing comes after it, and all of it is what was stored. */
  readonly done: boolean;
}

/** What code gives is hostile. All methods reject with PlinthError, which the code sees. */
export interface CallValues {
  /** The function begins, or begins again: what it wrote before and has not finished is given up. */
  beginAttempt(): void;
  read(handle: string, piece: { readonly offset: number; readonly bytes: number }): Promise<ReadPiece>;
  /** Returns the name of the writer. */
  begin(contentType: string): string;
  /** `offset`: what is written already. */
  write(writer: string, piece: { readonly offset: number; readonly body: Buffer }): Promise<void>;
  /** Durable when it resolves. */
  finish(writer: string): Promise<ValueHandle>;
}
