/** `embed_text`: the vector of a text, for documents that `hybrid_search` is to find by their meaning. */
import { limit } from "@plinth/core/limits.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import { checkPrompt, ENDPOINT_FIELDS, textOf, withClient } from "./ai-inputs.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

const operation = describeNative({
  slug: "embed_text",
  displayName: "Make a vector of a text",
  description:
    "Turn a text into a vector of its meaning. Documents that have one in their field `embedding` are found by it in hybrid_search.",
  effect: "outside",
  isAgentSkill: false,
  inputs: [nativeField("text", "text", "", { isRequired: true }), ...ENDPOINT_FIELDS],
  outputs: [nativeField("vector", "array", "", { isRequired: true, baseType: "double" })],
});

export const embedText: MakeNativeOperation = (parts) => ({
  operation,
  kind: "action",
  wallMs: limit("aiCallMsMax"),
  run: async (context, { input }) => {
    const text = textOf(input["text"]) ?? " ";
    checkPrompt([text]);
    const vector = await withClient(parts, { context, input, purpose: "embeddings" }, (client) => client.embed(text));
    return outputOf([{ vector }]);
  },
});
