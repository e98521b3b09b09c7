/** Mocks and inputs as they are written, for a host that runs a case. */
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { DryInput, MockAnswer, Mocks } from "../mocks.ts";

export function mocksJson(mocks: Mocks): JsonObject {
  return Object.fromEntries(Object.entries(mocks).map(([name, answers]) => [name, answers.map(answerJson)]));
}

export function inputsJson(inputs: readonly DryInput[]): readonly Json[] {
  return inputs.map((input) =>
    input.kind === "signal"
      ? { after: input.afterMs, signal: input.name, payload: input.payload.json }
      : { after: input.afterMs, do: input.kind },
  );
}

function answerJson(answer: MockAnswer): Json {
  switch (answer.kind) {
    case "late":
      return "late";
    case "real":
      return "run";
    case "output":
      return { output: answer.output.json, after: answer.afterMs ?? 0 };
    case "error": {
      const { code, message, retryable } = answer.error;
      return { error: { code, message, retryable }, after: answer.afterMs ?? 0 };
    }
  }
}
