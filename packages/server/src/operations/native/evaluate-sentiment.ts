/** `evaluate_sentiment`: how somebody who wrote a text feels, by a language model. */
import { limit } from "@plinth/core/limits.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { JsonObject, JsonSchema } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import { askJson } from "../../ai/ask-json.ts";
import { checkPrompt, ENDPOINT_FIELDS, textOf, USAGE_FIELDS, usageOf, withClient } from "./ai-inputs.ts";
import { DATA_RULE, fenced } from "./ask-ai.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

const LABELS = ["negative", "neutral", "positive", "mixed"];

const operation = describeNative({
  slug: "evaluate_sentiment",
  displayName: "Evaluate sentiment",
  description:
    "Say how the writer of a text feels about what it is about: negative, neutral, positive or mixed, with a score from -1 to 1.",
  effect: "outside",
  inputs: [
    nativeField("text", "text", "A message, review or conversation.", { isRequired: true }),
    nativeField("about", "text", "What the feeling is about, such as the product; the whole text when absent."),
    ...ENDPOINT_FIELDS,
  ],
  outputs: [
    nativeField("sentiment", "enum", "", { isRequired: true, allowedValues: LABELS }),
    nativeField("score", "double", "From -1, very negative, to 1, very positive.", { isRequired: true }),
    nativeField("reason", "text", "Why, in a sentence.", { isRequired: true }),
    ...USAGE_FIELDS,
  ],
});

const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    sentiment: { type: "string", enum: LABELS },
    score: { type: "number", minimum: -1, maximum: 1 },
    reason: { type: "string", maxLength: limit("aiReasonCharsMax") },
  },
  required: ["sentiment", "score", "reason"],
  additionalProperties: false,
};

export const evaluateSentiment: MakeNativeOperation = (parts) => ({
  operation,
  kind: "action",
  wallMs: limit("aiCallMsMax"),
  run: async (context, { input }) => {
    const about = textOf(input["about"]);
    const system = [
      "Say how the writer of the material feels. `score` goes from -1 (very negative) to 1 (very positive), and fits `sentiment`.",
      about === null ? null : `Only what the writer feels about this counts: ${about}`,
      DATA_RULE,
    ]
      .filter((text) => text !== null)
      .join("\n\n");
    const material = fenced(input["text"] ?? "");
    checkPrompt([system, material]);
    const found = await withClient(parts, { context, input, purpose: "chat" }, (client) =>
      askJson(client, { system, messages: [{ role: "user", text: material }], maxTokens: null, temperature: null, schema: SCHEMA }),
    );
    const json: JsonObject = isObject(found.json) ? found.json : {};
    return outputOf([{ ...json, ...usageOf({ model: found.answer.model, usage: found.usage }) }]);
  },
});
