import { expect, test } from "vitest";
import { DEAD_LETTERS, DEAD_LETTERS_BY_TIME } from "../database/record-tables.ts";
import { newScope, openTestDatabase } from "../database/test-database.ts";
import { putDeadLetter, trimDeadLetters } from "./delivery-rows.ts";
import type { DeadLetterRow } from "./event-records.ts";

test("the oldest dead letters of a branch go first when there are too many, and those of others stay", async () => {
  const opened = await openTestDatabase();
  const { database } = opened;
  const [scope, other] = [newScope(), newScope()];
  const put = (to: typeof scope, index: number) =>
    database.update(to, ({ records }) => putDeadLetter({ records }, letter(`dlv_${String(index).padStart(2, "0")}`, 1000 + index)));
  for (let index = 0; index < 10; index++) await put(scope, index);
  for (let index = 0; index < 6; index++) await put(other, index);
  await trimDeadLetters(database, scope, 6);
  const left = await database.read(scope, async ({ records }) => [
    (await records.range(DEAD_LETTERS, { prefix: [], limit: 20 })).map(({ key }) => key[0]),
    (await records.range(DEAD_LETTERS_BY_TIME, { prefix: [], limit: 20 })).map(({ key }) => key[1]),
  ]);
  const newest = ["dlv_04", "dlv_05", "dlv_06", "dlv_07", "dlv_08", "dlv_09"];
  expect(left).toEqual([newest, newest]);
  await trimDeadLetters(database, scope, 6);
  expect(await database.read(other, async ({ records }) => (await records.range(DEAD_LETTERS, { prefix: [], limit: 20 })).length)).toBe(6);
  await opened.close();
});

function letter(id: string, diedMs: number): DeadLetterRow {
  const event = { id: "evt_1", type: "t", sourceId: null, payloadText: "{}", syncId: null, createdMs: diedMs };
  const common = { snapInId: "s", automation: "a", attempts: 1, error: { code: "x", message: "y" }, invocation: null };
  const delivery = { ...common, key: id, function: "f", sourceId: "e", user: null, group: null, dueMs: diedMs };
  return { ...common, id, event, diedMs, delivery };
}
