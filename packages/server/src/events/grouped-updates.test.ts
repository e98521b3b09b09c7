import { afterAll, beforeAll, expect, test } from "vitest";
import type { Transaction } from "../database/database.ts";
import { EVENT_KEYS } from "../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { GroupedUpdates } from "./grouped-updates.ts";

let opened: TestDatabase;
let commits = 0;

beforeAll(async () => {
  opened = await openTestDatabase();
  opened.store.onCommit(() => commits++);
});
afterAll(() => opened.close());

/** Adds to what those before it have written. */
function append(text: string): (transaction: Transaction) => Promise<string> {
  return async ({ records }) => {
    const row = await records.get(EVENT_KEYS, ["list", "all"]);
    const eventId = `${row?.eventId ?? ""}${text}`;
    records.put(EVENT_KEYS, ["list", "all"], { eventId, createdMs: 0 });
    return eventId;
  };
}

test("U1 U2 changes that wait commit together, in their order, and each has its own answer", async () => {
  const updates = new GroupedUpdates(opened);
  const scope = newScope();
  commits = 0;
  const answers = await Promise.all(["a", "b", "c", "d"].map((text) => updates.run(scope, append(text))));
  expect(answers).toEqual(["a", "ab", "abc", "abcd"]);
  expect(commits).toBe(2);
});

test("U2 a patient change takes the commit of the next that is not, or one of its own after a while", async () => {
  const updates = new GroupedUpdates(opened);
  const scope = newScope();
  commits = 0;
  const patient = updates.run(scope, append("a"), { isPatient: true });
  expect(await updates.run(scope, append("b"))).toBe("ab");
  expect(await patient).toBe("a");
  expect(commits).toBe(1);
  expect(await updates.run(scope, append("c"), { isPatient: true })).toBe("abc");
});

test("U3 a change that fails takes no other with it, and leaves nothing", async () => {
  const updates = new GroupedUpdates(opened);
  const scope = newScope();
  const failing = async (transaction: Transaction): Promise<string> => {
    await append("never")(transaction);
    throw new Error("it cannot");
  };
  const answers = await Promise.allSettled([
    updates.run(scope, append("a")),
    updates.run(scope, append("b")),
    updates.run(scope, failing),
    updates.run(scope, append("c")),
  ]);
  expect(answers.map((answer) => (answer.status === "fulfilled" ? answer.value : String(answer.reason)))).toEqual([
    "a",
    "ab",
    "Error: it cannot",
    "abc",
  ]);
});
