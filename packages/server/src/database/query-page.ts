/** One page of a query: from a cursor to the next one, or exactly between two cursors. */
import { compareBytes, keyAfter } from "@plinth/core/documents/keys.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Key, KeyRange } from "../store/store.ts";
import { type CursorCodec, type CursorPosition, queryDigest } from "./cursor.ts";
import type { QueryPageArguments } from "./parse-syscalls.ts";
import type { QueryPlan, QuerySource } from "./query-plan.ts";
import { QueryRows, type RowsContext } from "./query-rows.ts";

/** Beyond this part of a limit a page should be split. */
const SOFT_PART = 0.75;

type PageStatus = "SplitRecommended" | "SplitRequired" | null;

/** Returns the JSON text of the page. */
export async function readPage(
  context: RowsContext,
  plan: QueryPlan,
  options: { readonly page: QueryPageArguments; readonly cursors: CursorCodec },
): Promise<string> {
  const { page, cursors } = options;
  const digest = queryDigest(page.query.text);
  const from = page.cursor === null ? null : cursors.decode(digest, page.cursor);
  const to = page.endCursor === null ? null : cursors.decode(digest, page.endCursor);
  const maximum = {
    rows: page.maximumRowsRead ?? limit("transactionReadDocumentsMax"),
    bytes: page.maximumBytesRead ?? limit("transactionReadBytesMax"),
  };
  const rows = new QueryRows(context, plan, plan.source === null ? null : pageRange(plan.source, plan.order, { from, to }));
  const texts: string[] = [];
  const positions: Key[] = [];
  await rows.read(to === null ? page.pageSize : Number.POSITIVE_INFINITY, texts, {
    stop: (rowsRead, bytesRead) => rowsRead >= maximum.rows || bytesRead >= maximum.bytes,
    onRead: (key) => positions.push(key),
  });
  const full = to === null && texts.length >= page.pageSize;
  const position = to ?? (rows.done && !full ? END : positionAfter(context, positions.at(-1)));
  const cursorOf = (at: CursorPosition): string => JSON.stringify(cursors.encode(digest, at));
  const split = positions.length < 2 ? null : positionAfter(context, positions[(positions.length - 1) >> 1]);
  const status = pageStatus({ stopped: !rows.done && !full, rows, maximum, pageRows: texts.length });
  return `{"page":[${texts.join(",")}],"isDone":${position.kind === "end"},"continueCursor":${cursorOf(position)},"splitCursor":${split === null ? "null" : cursorOf(split)},"pageStatus":${JSON.stringify(status)}}`;
}

const END: CursorPosition = { kind: "end" };

function positionAfter(context: RowsContext, key: Key | undefined): CursorPosition {
  return key === undefined ? END : { kind: "after", indexKey: context.keys.withinTable(key) };
}

function pageStatus(state: {
  readonly stopped: boolean;
  readonly rows: QueryRows;
  readonly maximum: { readonly rows: number; readonly bytes: number };
  readonly pageRows: number;
}): PageStatus {
  if (state.stopped) return "SplitRequired";
  const { rows, maximum } = state;
  const large =
    rows.rowsRead > SOFT_PART * maximum.rows ||
    rows.bytesRead > SOFT_PART * maximum.bytes ||
    state.pageRows > SOFT_PART * limit("queryPageSizeMax");
  return large ? "SplitRecommended" : null;
}

/** The part of the query's range that lies behind `from` and not behind `to`. */
function pageRange(
  source: QuerySource,
  order: "asc" | "desc",
  between: { readonly from: CursorPosition | null; readonly to: CursorPosition | null },
): KeyRange | null {
  if (between.from?.kind === "end") return null;
  let { start, end } = source.range;
  const from = between.from === null ? null : keyOf(source, between.from.indexKey);
  const to = between.to === null || between.to.kind === "end" ? null : keyOf(source, between.to.indexKey);
  if (order === "asc") {
    if (from !== null) start = later(start, keyAfter(from));
    if (to !== null) end = earlier(end, keyAfter(to));
  } else {
    if (from !== null) end = earlier(end, from);
    if (to !== null) start = later(start, to);
  }
  return compareBytes(start, end) < 0 ? { start, end } : null;
}

/** The key whose part within the index is `indexKey`. */
function keyOf(source: QuerySource, indexKey: Uint8Array): Key {
  return Buffer.concat([source.all.start, indexKey]);
}

function later(a: Key, b: Key): Key {
  return compareBytes(a, b) >= 0 ? a : b;
}

function earlier(a: Key, b: Key): Key {
  return compareBytes(a, b) <= 0 ? a : b;
}
