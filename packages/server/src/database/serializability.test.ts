import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scope, Transaction } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import { callsOf, deploySchema, newScope, nextNowMs, openTestDatabase, query, schemaText, type TestDatabase } from "./test-database.ts";

const TOTALS = defineRecordTable({ space: 0xfff2, name: "test totals", parse: (json) => json as number });

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

/** Small numbers from a seed, so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Operation =
  | { readonly kind: "append"; readonly name: string; readonly element: number }
  | { readonly kind: "list" | "remove"; readonly name: string }
  | { readonly kind: "between"; readonly low: number; readonly high: number }
  | { readonly kind: "last" | "count" | "total" }
  | { readonly kind: "nestedUndone"; readonly name: string; readonly element: number };

/** State of the model: name → elements; and a total. */
interface Model {
  readonly lists: Map<string, number[]>;
  total: number;
}

const NAMES = ["a", "b", "c", "d", "e"];

function randomOperation(random: (below: number) => number, element: number): Operation {
  const name = NAMES[random(NAMES.length)] ?? "a";
  switch (random(9)) {
    case 0:
    case 1:
    case 2:
      return { kind: "append", name, element };
    case 3:
      return { kind: "list", name };
    case 4:
      return { kind: "between", low: random(4), high: random(6) };
    case 5:
      return { kind: "last" };
    case 6:
      return { kind: "count" };
    case 7:
      return random(3) === 0 ? { kind: "remove", name } : { kind: "total" };
    default:
      return { kind: "nestedUndone", name, element };
  }
}

/** Performs an operation in a transaction; the result is what it saw. */
async function perform(transaction: Transaction, operation: Operation): Promise<unknown> {
  const calls = callsOf(transaction);
  const find = async (name: string): Promise<{ _id: string; elements: number[] } | undefined> => {
    const stream = 1000 + Math.floor(transaction.metrics().databaseQueries);
    const range = [{ type: "Eq", fieldPath: "name", value: name }];
    const answer = (await calls.raw("plinth/queryNext", {
      query: query("lists", { index: "by_name", range, operators: [{ limit: 2 }] }),
      stream,
      rows: 2,
    })) as {
      rows: { _id: string; elements: number[] }[];
    };
    return answer.rows[0];
  };
  const append = async (name: string, element: number): Promise<number[]> => {
    const found = await find(name);
    const elements = [...(found?.elements ?? []), element];
    if (found === undefined) await calls.insert("lists", { name, elements, length: elements.length });
    else await calls.patch(found._id, { elements, length: elements.length });
    return elements;
  };
  switch (operation.kind) {
    case "append": {
      const total = (await transaction.records.get(TOTALS, ["total"])) ?? 0;
      transaction.records.put(TOTALS, ["total"], total + 1);
      return append(operation.name, operation.element);
    }
    case "list":
      return (await find(operation.name))?.elements ?? null;
    case "between": {
      const range = [
        { type: "Gte", fieldPath: "length", value: operation.low },
        { type: "Lt", fieldPath: "length", value: operation.high },
      ];
      const stream = 5000 + transaction.metrics().databaseQueries;
      const answer = (await calls.raw("plinth/queryNext", { query: query("lists", { index: "by_length", range }), stream, rows: 100 })) as {
        rows: { name: string; length: number }[];
      };
      return answer.rows.map(({ name, length }) => `${length}${name}`).sort();
    }
    case "last": {
      const page = await calls.page(query("lists", { index: "by_length", order: "desc" }), { cursor: null, pageSize: 1 });
      return page.page.map((row) => row["length"]);
    }
    case "count":
      return calls.count("lists");
    case "total":
      return (await transaction.records.get(TOTALS, ["total"])) ?? 0;
    case "remove": {
      const found = await find(operation.name);
      if (found !== undefined) await calls.remove(found._id);
      return found?.elements ?? null;
    }
    case "nestedUndone": {
      const nested = transaction.nested();
      const seen = await append(operation.name, operation.element);
      nested.undo();
      return seen;
    }
  }
}

/** The same on the model. */
function expected(model: Model, operation: Operation): unknown {
  const { lists } = model;
  switch (operation.kind) {
    case "append": {
      model.total++;
      lists.set(operation.name, [...(lists.get(operation.name) ?? []), operation.element]);
      return lists.get(operation.name);
    }
    case "list":
      return lists.get(operation.name) ?? null;
    case "between":
      return [...lists]
        .filter(([, { length }]) => length >= operation.low && length < operation.high)
        .map(([name, { length }]) => `${length}${name}`)
        .sort();
    case "last": {
      const longest = Math.max(...[...lists.values()].map(({ length }) => length));
      return lists.size === 0 ? [] : [longest];
    }
    case "count":
      return lists.size;
    case "total":
      return model.total;
    case "remove": {
      const elements = lists.get(operation.name) ?? null;
      lists.delete(operation.name);
      return elements;
    }
    case "nestedUndone":
      return [...(lists.get(operation.name) ?? []), operation.element];
  }
}

interface Committed {
  readonly ts: number;
  readonly wrote: boolean;
  readonly steps: readonly { readonly operation: Operation; readonly seen: unknown }[];
}

/** Replays a history one transaction after the other; each must have seen what the model says. */
function replay(model: Model, history: readonly Committed[], seed: number): void {
  // A transaction that wrote nothing saw the state after the commit of its snapshot.
  const order = history.toSorted((a, b) => a.ts - b.ts || Number(b.wrote) - Number(a.wrote));
  for (const { steps, ts } of order) {
    for (const { operation, seen } of steps)
      expect(seen, `seed ${seed}, commit ${ts}, ${JSON.stringify(operation)}`).toEqual(expected(model, operation));
  }
}

/** Runs transactions of several workers in between each other. */
async function runHistory(scope: Scope, seed: number): Promise<{ readonly history: Committed[]; readonly conflicts: number }> {
  const history: Committed[] = [];
  let conflicts = 0;
  let element = 0;
  const worker = async (number: number): Promise<void> => {
    const random = generator(seed * 100 + number);
    for (let run = 0; run < 25; run++) {
      const transaction = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
      const steps: { operation: Operation; seen: unknown }[] = [];
      for (let count = 1 + random(4); count > 0; count--) {
        const operation = randomOperation(random, ++element);
        steps.push({ operation, seen: await perform(transaction, operation) });
        if (random(2) === 0) await test.runtime.sleep(0);
      }
      const outcome = await transaction.commit();
      if (outcome.kind === "conflict") conflicts++;
      else history.push({ ts: outcome.ts, wrote: outcome.ts !== transaction.ts, steps });
    }
  };
  await Promise.all([1, 2, 3, 4, 5].map(worker));
  return { history, conflicts };
}

describe("serializability", () => {
  it("D1 D2 D4 every history of concurrent transactions equals running the committed ones one after the other", async () => {
    let conflicts = 0;
    let committed = 0;
    const firstSeed = Date.now() % 1_000_000;
    for (let seed = firstSeed; seed < firstSeed + 12; seed++) {
      const scope = newScope();
      await deploySchema(test.database, scope, schemaText({ lists: { indexes: { by_name: ["name"], by_length: ["length"] } } }));
      const result = await runHistory(scope, seed);
      conflicts += result.conflicts;
      committed += result.history.length;
      replay({ lists: new Map(), total: 0 }, result.history, seed);
    }
    expect(conflicts).toBeGreaterThan(100);
    expect(committed).toBeGreaterThan(300);
  });

  it("D1 D2 D6 so does every history in a branch over another one, while both are written to", async () => {
    let conflicts = 0;
    const firstSeed = Date.now() % 1_000_000;
    for (let seed = firstSeed; seed < firstSeed + 4; seed++) {
      const scope = newScope();
      await deploySchema(test.database, scope, schemaText({ lists: { indexes: { by_name: ["name"], by_length: ["length"] } } }));
      const model: Model = { lists: new Map(), total: 0 };
      const before = await runHistory(scope, seed);
      replay(model, before.history, seed);
      const branch = { tenant: scope.tenant, branch: "copy" };
      await test.database.update(branch, (transaction) => test.database.createBranchFrom(transaction, { base: scope }));
      // Records are not copied.
      const copied: Model = { lists: new Map(model.lists), total: 0 };
      const [inBase, inBranch] = await Promise.all([runHistory(scope, seed + 1000), runHistory(branch, seed + 2000)]);
      replay(model, inBase.history, seed);
      replay(copied, inBranch.history, seed);
      conflicts += inBranch.conflicts;
    }
    expect(conflicts).toBeGreaterThan(30);
  });
});
