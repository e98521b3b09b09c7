/** Lists of objects, page by page. */
import { refuse, type Args } from "./call.ts";
import type { Kind } from "./kinds.ts";
import type { ObjectSpec } from "./objects.ts";
import { flat, isRecord, shown, type ReadCtx, type Shown, type Stored } from "./store.ts";

const ROWS_READ_MAX = 4000;

export interface Page {
  readonly items: readonly Shown[];
  readonly next: string | null;
  readonly previous: string | null;
}

/** Objects of one value of an index whose last field is `seq`. */
export interface Within {
  readonly index: string;
  readonly field: string;
  readonly value: string;
}

/**
 * `{limit?, cursor?, mode?, sort_by?, …}`: other arguments that are fields are filters. The newest come first, but for lists within
 * something, which are in their own order.
 */
export async function list(ctx: ReadCtx, spec: ObjectSpec, args: Args, within?: Within): Promise<Page> {
  const wanted = sizeOf(args["limit"]);
  const start = startOf(args["cursor"]);
  const backwards = args["mode"] === "before";
  const isAscending = (within !== undefined) !== backwards;
  const test = filterOf(spec, args);
  const items: Stored[] = [];
  let read = 0;
  let more = false;
  const rows = ctx.db
    .query(spec.table)
    .withIndex(within?.index ?? "by_seq", (q) => {
      // The chain of an index is typed by its fields, which are known here as texts only.
      const chain = (within === undefined ? q : q.eq(within.field as never, within.value as never)) as typeof q;
      if (start === undefined) return chain;
      return isAscending ? chain.gt("seq" as never, start as never) : chain.lt("seq" as never, start as never);
    })
    .order(isAscending ? "asc" : "desc");
  let last: number | undefined;
  for await (const row of rows) {
    if (items.length === wanted || read === ROWS_READ_MAX) {
      more = true;
      break;
    }
    read += 1;
    const stored = row as unknown as Stored;
    last = stored.seq;
    if (test(stored)) items.push(stored);
  }
  const page = backwards ? items.toReversed() : items;
  const first = page[0]?.seq;
  return {
    items: page.map(shown),
    next: more && last !== undefined && !backwards ? `s${last}` : null,
    previous: start !== undefined && first !== undefined ? `s${first}` : null,
  };
}

/** Whether an object has the values that the arguments ask for. */
export function filterOf(spec: ObjectSpec, given: Args): (stored: Stored) => boolean {
  const args = flat(spec, given);
  const tests: ((stored: Stored) => boolean)[] = [];
  const types = textsOf(args["type"]);
  if (types !== undefined) tests.push((stored) => types.includes(String(stored.type)));
  for (const [name, kind] of Object.entries(spec.fields)) {
    const value = kind === "stage" ? (args["stage.name"] ?? (isRecord(args["stage"]) ? args["stage"]["name"] : args["stage"])) : args[name];
    const wanted = textsOf(value);
    if (wanted === undefined || name === "type") continue;
    tests.push((stored) => textsIn(kind, stored[name]).some((each) => wanted.includes(each)));
  }
  const authors = textsOf(args["created_by"]);
  if (authors !== undefined) tests.push((stored) => textsIn("reference", stored["created_by"]).some((value) => authors.includes(value)));
  for (const name of ["created_date", "modified_date"]) tests.push(...datesOf(name, args));
  return (stored) => tests.every((test) => test(stored));
}

function datesOf(name: string, args: Args): ((stored: Stored) => boolean)[] {
  const range = isRecord(args[name]) ? args[name] : {};
  const after = args[`${name}.after`] ?? range["after"];
  const before = args[`${name}.before`] ?? range["before"];
  const tests: ((stored: Stored) => boolean)[] = [];
  if (typeof after === "string") tests.push((stored) => Date.parse(String(stored[name])) > Date.parse(after));
  if (typeof before === "string") tests.push((stored) => Date.parse(String(stored[name])) < Date.parse(before));
  return tests;
}

/** What a field of a stored object is found by. */
function textsIn(kind: Kind, value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  switch (kind) {
    case "reference":
    case "references":
      return (Array.isArray(value) ? value : [value]).flatMap((each: unknown) =>
        isRecord(each) ? [String(each["id"]), String(each["display_id"])] : [],
      );
    case "tags":
      return (value as readonly Args[]).flatMap(({ tag }) => (isRecord(tag) ? [String(tag["id"]), String(tag["name"])] : []));
    case "stage":
      return isRecord(value) ? [String(value["name"])] : [];
    case "texts":
      return value as readonly string[];
    case "json":
      return [];
    case "text":
    case "number":
    case "boolean":
      return [plain(value)];
  }
}

/** The texts of one value or a list of them, which clients also write with commas between. */
function textsOf(given: unknown): readonly string[] | undefined {
  if (given === undefined || given === null) return undefined;
  if (Array.isArray(given)) return given.flatMap((item: unknown) => [isRecord(item) ? String(item["id"] ?? item["tag"]) : String(item)]);
  if (isRecord(given)) return undefined;
  return plain(given).split(",");
}

function sizeOf(given: unknown): number {
  const size = given === undefined || given === null || given === "" ? 50 : Number(given);
  if (!Number.isInteger(size) || size < 1) throw refuse(400, "`limit` must be a whole number from 1.");
  return Math.min(size, 100);
}

function startOf(given: unknown): number | undefined {
  if (given === undefined || given === null || given === "") return undefined;
  const seq = /^s(\d{1,15})$/.exec(plain(given))?.[1];
  if (seq === undefined) throw refuse(400, "`cursor` is none that a list gave.");
  return Number(seq);
}

function plain(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
