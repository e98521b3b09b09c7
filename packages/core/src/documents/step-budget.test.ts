import { expect, test } from "vitest";
import { StepBudget } from "./step-budget.ts";

const budget = () => new StepBudget({ what: "Steps in all", max: 100, pieceWhat: "Steps at once", pieceMax: 30 });

test("a piece ends at its own limit, and the next one goes on", () => {
  const steps = budget();
  steps.spend(30);
  expect(() => steps.spend(1)).toThrow("Steps at once: 31 is over the limit of 30.");
  steps.startPiece();
  steps.spend(30);
  expect(steps.used).toBe(61);
  expect(() => steps.spend(2)).toThrow("Steps at once: 32 is over the limit of 30.");
});

test("all pieces share one limit, and whoever goes on after it gets nothing", () => {
  const steps = budget();
  for (let i = 0; i < 4; i += 1) {
    steps.startPiece();
    steps.spend(25);
  }
  for (let i = 0; i < 3; i += 1) {
    steps.startPiece();
    expect(() => steps.spend(1)).toThrow(`Steps in all: ${101 + i} is over the limit of 100.`);
  }
});
