/** The key of the host from which tokens of answers follow; every life of it has the same one. */
import { createHmac } from "node:crypto";
import { AnswerTokens } from "../../../packages/server/src/flows/answer-tokens.ts";
import type { Runtime } from "../../../packages/server/src/runtime/runtime.ts";

const KEYS = {
  newest: "simulated",
  mac: (keyId: string, purpose: string, text: string) => createHmac("sha256", keyId).update(purpose).update(text).digest(),
};

export function answerTokens(runtime: Pick<Runtime, "randomBytes">): AnswerTokens {
  return new AnswerTokens(KEYS, runtime);
}
