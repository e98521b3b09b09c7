import { expect, test } from "vitest";
import { changeType, isChangeType } from "./object-events.ts";

test("the type says what became of the object", () => {
  expect(changeType("work", { before: false, after: true })).toBe("work_created");
  expect(changeType("work", { before: true, after: true })).toBe("work_updated");
  expect(changeType("work", { before: true, after: false })).toBe("work_deleted");
  expect(changeType("work", { before: false, after: false })).toBeUndefined();
  expect(["work_created", "custom:work_created", "timer.tick", "limit_refused"].map(isChangeType)).toEqual([true, false, false, false]);
});
