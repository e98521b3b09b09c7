/** What undici asks of `node:stream`, for the streams of web-streams-polyfill. */
interface StreamState {
  readonly _disturbed?: boolean;
  readonly _state?: string;
}

export function isDisturbed(stream: unknown): boolean {
  return (stream as StreamState | null | undefined)?._disturbed === true;
}

export function isErrored(stream: unknown): boolean {
  return (stream as StreamState | null | undefined)?._state === "errored";
}

/** Base of undici's decompressing stream, which is not used here. */
export class Transform {}
