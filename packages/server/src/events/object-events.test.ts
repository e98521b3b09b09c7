import { expect, test } from "vitest";
import { changeType, isChangeType, objectOfTable } from "./object-events.ts";

test.each([
  ["accounts", "account"],
  ["revUsers", "rev_user"],
  ["companies", "company"],
  ["boxes", "box"],
  ["classes", "class"],
  ["address", "address"],
  ["works", "work"],
  ["timelineEntries", "timeline_entry"],
  ["keys", "key"],
  ["news", "new"],
  ["data", "data"],
  ["SLAs", "sla"],
])("the table %s holds objects called %s", (table, object) => {
  expect(objectOfTable(table)).toBe(object);
});

test("the type says what became of the object", () => {
  expect(changeType("work", { before: false, after: true })).toBe("work_created");
  expect(changeType("work", { before: true, after: true })).toBe("work_updated");
  expect(changeType("work", { before: true, after: false })).toBe("work_deleted");
  expect(changeType("work", { before: false, after: false })).toBeUndefined();
  expect(["work_created", "custom:work_created", "timer.tick", "limit_refused"].map(isChangeType)).toEqual([true, false, false, false]);
});
