/**
 * Streams of query rows. User code takes rows one by one; the host is asked for several at once, so that a
 * row usually costs no call. What is read counts as read by the transaction: the first request is small,
 * and no more rows are asked for than a `limit` of the query lets through.
 */
import { HOST_OPS } from "@plinth/core/protocol/runner-protocol.ts";
import { hostCall } from "./host-calls.ts";
import { emptyTable, jsonParse, jsonStringify } from "./realm.ts";

const FIRST_ROWS = 16;
const GROWTH = 4;
const ROWS_MAX = 128;
const END_TEXT = '{"value":null,"done":true}';

interface Stream {
  /** Until the first request. */
  query: unknown;
  /** Answers for the next calls, in order. */
  readonly ready: string[];
  at: number;
  rows: number;
  state: "new" | "open" | "ended" | "closed";
  /** Requests run one after the other. */
  tail: Promise<unknown> | undefined;
}

let streams = emptyTable<Stream>();
let nextStream = 0;

/** The host freed the streams of the call before when it ended. */
export function forgetStreams(): void {
  streams = emptyTable();
  nextStream = 0;
}

/** `1.0/queryStream` */
export function openStream(argText: string): string {
  const { query } = jsonParse(argText) as { query: unknown };
  const id = nextStream++;
  streams[id] = { query, ready: [], at: 0, rows: Math.min(FIRST_ROWS, rowLimit(query)), state: "new", tail: undefined };
  return `{"queryId":${id}}`;
}

/** `1.0/queryStreamNext` */
export function nextRow(argText: string): Promise<string> {
  const id = queryId(argText);
  const stream = streams[id];
  if (stream === undefined) return Promise.reject(new Error("This query is closed."));
  // A call that comes while another one fetches waits for its turn, or rows would change places.
  if (stream.tail !== undefined)
    return track(
      stream,
      stream.tail.then(() => take(id, stream)),
    );
  if (stream.at < stream.ready.length) return Promise.resolve(readyRow(stream));
  return track(stream, take(id, stream));
}

function track(stream: Stream, row: Promise<string>): Promise<string> {
  const settled = row.then(
    () => {},
    () => {},
  );
  stream.tail = settled;
  void settled.then(() => {
    if (stream.tail === settled) stream.tail = undefined;
  });
  return row;
}

async function take(id: number, stream: Stream): Promise<string> {
  // An answer without rows is not the end: the host answers after so many bytes, also when none of them passed a filter.
  while (stream.at >= stream.ready.length && stream.state !== "ended" && stream.state !== "closed") await fetchRows(id, stream);
  return readyRow(stream);
}

function readyRow(stream: Stream): string {
  const row = stream.ready[stream.at];
  if (row === undefined) return END_TEXT;
  stream.at++;
  return row;
}

async function fetchRows(id: number, stream: Stream): Promise<void> {
  const { rows } = stream;
  const request = stream.state === "new" ? { query: stream.query, stream: id, rows } : { stream: id, rows };
  stream.state = "open";
  stream.query = undefined;
  stream.rows = Math.min(rows * GROWTH, ROWS_MAX);
  const text = await hostCall(HOST_OPS.queryNext, jsonStringify(request));
  stream.ready.length = 0;
  stream.at = 0;
  if (rows === 1 && oneRow(stream, text)) return;
  const answer = jsonParse(text) as { readonly rows: readonly unknown[]; readonly done: boolean };
  for (const value of answer.rows) stream.ready.push(rowText(jsonStringify(value)));
  if (answer.done) stream.state = "ended";
}

/** The answer to a request for one row holds the row's text as it is: no need to parse and print it again. */
function oneRow(stream: Stream, text: string): boolean {
  if (!text.startsWith('{"rows":[{')) return false;
  const done = text.endsWith('}],"done":true}');
  if (!done && !text.endsWith('}],"done":false}')) return false;
  stream.ready.push(rowText(text.slice(9, done ? -14 : -15)));
  if (done) stream.state = "ended";
  return true;
}

function rowText(valueText: string): string {
  return `{"value":${valueText},"done":false}`;
}

/** `1.0/queryCleanup` */
export function closeStream(argText: string): string {
  const id = queryId(argText);
  const stream = streams[id];
  if (stream === undefined) return "false";
  delete streams[id];
  if (stream.state === "open") {
    // Nothing waits for the answer, and the end of the call frees the stream anyway.
    hostCall(HOST_OPS.queryClose, `{"stream":${id}}`).then(
      () => {},
      () => {},
    );
  }
  stream.state = "closed";
  return "true";
}

function queryId(argText: string): number {
  return (jsonParse(argText) as { readonly queryId: number }).queryId;
}

/** The smallest `limit` of the query. */
function rowLimit(query: unknown): number {
  let limit = ROWS_MAX;
  const operators = (query as { readonly operators?: unknown } | null)?.operators;
  if (!Array.isArray(operators)) return limit;
  for (const operator of operators as readonly { readonly limit?: unknown }[]) {
    if (typeof operator?.limit === "number" && operator.limit < limit) limit = operator.limit;
  }
  return Math.max(1, limit);
}
