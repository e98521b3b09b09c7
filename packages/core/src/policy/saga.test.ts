import fc from "fast-check";
import { expect, test } from "vitest";
import { nextMove, SAGA_START, stepDone, stepFailed, stepUndone, type SagaState } from "./saga.ts";

test("a saga without failures does every step once, in order", () => {
  let state: SagaState = SAGA_START;
  const steps: number[] = [];
  for (let move = nextMove(state); move.kind !== "end"; move = nextMove(state)) {
    steps.push(move.step);
    state = stepDone(state, 4);
  }
  expect(steps).toEqual([0, 1, 2, 3]);
  expect(state.phase).toBe("done");
});

test("a failure at any step undoes exactly what was done, in reverse", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (steps, at) => {
      const failing = at % steps;
      let state: SagaState = SAGA_START;
      const undone: number[] = [];
      for (let move = nextMove(state); move.kind !== "end"; move = nextMove(state)) {
        if (move.kind === "undo") {
          undone.push(move.step);
          state = stepUndone(state);
        } else state = move.step === failing ? stepFailed(state, "it broke") : stepDone(state, steps);
      }
      expect(state).toMatchObject({ phase: "undone", done: 0, reason: "it broke" });
      expect(undone).toEqual(Array.from({ length: failing }, (_, index) => failing - 1 - index));
    }),
  );
});
