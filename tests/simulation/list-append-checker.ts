/**
 * Checks that a history of list-append transactions is strictly serializable, after the method of Kingsbury and Alvaro,
 * "Elle: Inferring Isolation Anomalies from Experimental Observations" (2020): every element is appended once, so each
 * read reveals the order of the appends before it, and from these orders follow all dependencies between transactions.
 * A cycle of dependencies is an anomaly.
 */
export interface Operation {
  readonly kind: "append" | "read";
  readonly key: string;
  /** Of appends; unique in the history. */
  readonly value?: number;
}

export interface Transaction {
  readonly operations: readonly Operation[];
  /** Results of the reads, in order; absent when the outcome is unknown (then it may or may not have happened). */
  readonly reads?: readonly { readonly key: string; readonly values: readonly number[] }[];
  /** On one clock for the whole history. */
  readonly startedMs: number;
  readonly endedMs: number;
}

/** What is wrong with the history, or null. */
export function findAnomaly(transactions: readonly Transaction[]): string | null {
  const writers = writersOf(transactions);
  const orders = new Map<string, readonly number[]>();
  for (const [index, transaction] of transactions.entries()) {
    for (const { key, values } of transaction.reads ?? []) {
      const problem = checkRead({ transaction, index, key, values, writers, transactions });
      if (problem !== null) return problem;
      const known = orders.get(key) ?? [];
      const [shorter, longer] = known.length <= values.length ? [known, values] : [values, known];
      if (shorter.some((value, i) => longer[i] !== value))
        return `reads of ${key} disagree on the order: [${shorter.join()}] and [${longer.join()}]`;
      orders.set(key, longer);
    }
  }
  const edges = dependencies(transactions, orders, writers);
  const cycle = findCycle(edges);
  return cycle === null ? null : `cycle: ${cycle.map(({ from, kind }) => `T${from} -${kind}->`).join(" ")} T${cycle[0]?.from}`;
}

type Writers = ReadonlyMap<string, number>;
const writeKey = (key: string, value: number) => `${key}/${value}`;

function writersOf(transactions: readonly Transaction[]): Writers {
  const writers = new Map<string, number>();
  for (const [index, { operations }] of transactions.entries()) {
    for (const { kind, key, value } of operations) if (kind === "append") writers.set(writeKey(key, value ?? 0), index);
  }
  return writers;
}

/** A read must show only appends that somebody made, each once, and all those that its own transaction made before. */
function checkRead(read: {
  readonly transaction: Transaction;
  readonly index: number;
  readonly key: string;
  readonly values: readonly number[];
  readonly writers: Writers;
  readonly transactions: readonly Transaction[];
}): string | null {
  const { key, values, writers, index } = read;
  if (new Set(values).size !== values.length) return `T${index} read an element of ${key} twice: [${values.join()}]`;
  const phantom = values.find((value) => !writers.has(writeKey(key, value)));
  return phantom === undefined ? null : `T${index} read ${phantom} in ${key}, which nobody appended`;
}

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: "ww" | "wr" | "rw" | "time";
}

function dependencies(transactions: readonly Transaction[], orders: ReadonlyMap<string, readonly number[]>, writers: Writers): Edge[] {
  const edges: Edge[] = [];
  const add = (from: number | undefined, to: number | undefined, kind: Edge["kind"]) => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ from, to, kind });
  };
  for (const [key, order] of orders) {
    for (let i = 1; i < order.length; i += 1)
      add(writers.get(writeKey(key, order[i - 1] ?? 0)), writers.get(writeKey(key, order[i] ?? 0)), "ww");
  }
  for (const [index, { reads, operations }] of transactions.entries()) {
    const own = new Set(operations.filter(({ kind }) => kind === "append").map(({ key, value }) => writeKey(key, value ?? 0)));
    for (const { key, values } of reads ?? []) {
      const seen = values.filter((value) => !own.has(writeKey(key, value)));
      const last = seen.at(-1);
      if (last !== undefined) add(writers.get(writeKey(key, last)), index, "wr");
      const next = (orders.get(key) ?? [])[values.length];
      if (next !== undefined) add(index, writers.get(writeKey(key, next)), "rw");
      // An append that was acknowledged and that no read of the key ever showed comes after all these reads.
      for (const [written, writer] of writers) {
        const [writtenKey, value] = splitWriteKey(written);
        if (writtenKey === key && transactions[writer]?.reads !== undefined && !(orders.get(key) ?? []).includes(value))
          add(index, writer, "rw");
      }
    }
  }
  for (const [from, earlier] of transactions.entries()) {
    if (earlier.reads === undefined) continue;
    for (const [to, later] of transactions.entries()) if (earlier.endedMs < later.startedMs) add(from, to, "time");
  }
  return edges;
}

function splitWriteKey(written: string): [string, number] {
  const slash = written.lastIndexOf("/");
  return [written.slice(0, slash), Number(written.slice(slash + 1))];
}

/** A cycle in the graph, as its edges, or null. Depth-first with three colours. */
function findCycle(edges: readonly Edge[]): readonly Edge[] | null {
  const outgoing = new Map<number, Edge[]>();
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const done = new Set<number>();
  const path: Edge[] = [];
  const onPath = new Set<number>();
  const visit = (node: number): readonly Edge[] | null => {
    onPath.add(node);
    for (const edge of outgoing.get(node) ?? []) {
      if (onPath.has(edge.to)) return [...path.slice(path.findIndex(({ from }) => from === edge.to) >>> 0), edge];
      if (done.has(edge.to)) continue;
      path.push(edge);
      const found = visit(edge.to);
      if (found !== null) return found;
      path.pop();
    }
    onPath.delete(node);
    done.add(node);
    return null;
  };
  for (const node of outgoing.keys()) {
    const found = done.has(node) ? null : visit(node);
    if (found !== null) return found;
  }
  return null;
}
