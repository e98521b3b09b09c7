/** `classify_object`: which of some labels fit a text or an object, by a language model. */
import { limit } from "@plinth/core/limits.ts";
import { isList, isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject, JsonSchema } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { askJson } from "../../ai/ask-json.ts";
import { checkPrompt, ENDPOINT_FIELDS, textOf, USAGE_FIELDS, usageOf, withClient } from "./ai-inputs.ts";
import { DATA_RULE, fenced } from "./ask-ai.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

const LABEL_CHARS_MAX = limit("manifestNameCharsMax");

const operation = describeNative({
  slug: "classify_object",
  displayName: "Classify an object",
  description:
    "Choose which of the given labels fit a text or an object, such as the product area of a ticket. It never returns another label.",
  effect: "outside",
  inputs: [
    nativeField("object", "json_value", "What is classified: a text, or an object with its fields.", { isRequired: true }),
    nativeField("labels", "array", "The labels to choose from.", {
      isRequired: true,
      schema: {
        type: "array",
        items: { type: "string", minLength: 1, maxLength: LABEL_CHARS_MAX },
        minItems: 1,
        maxItems: limit("aiLabelsMax"),
        uniqueItems: true,
      },
    }),
    nativeField("descriptions", "struct", "Label → when it fits.", {
      schema: { type: "object", additionalProperties: { type: "string" } },
    }),
    nativeField("multiple", "bool", "Whether several labels, or none, may fit; otherwise it is exactly one.", { defaultValue: false }),
    nativeField("instructions", "text", "What to look at."),
    ...ENDPOINT_FIELDS,
  ],
  outputs: [
    nativeField("label", "text", "The label that fits best; absent when none does."),
    nativeField("labels", "array", "All labels that fit, the best first.", { isRequired: true, baseType: "text" }),
    nativeField("confidence", "double", "From 0 to 1, by the model's own estimate.", { isRequired: true }),
    nativeField("reason", "text", "Why, in a sentence.", { isRequired: true }),
    ...USAGE_FIELDS,
  ],
});

export const classifyObject: MakeNativeOperation = (parts) => ({
  operation,
  kind: "action",
  wallMs: limit("aiCallMsMax"),
  run: async (context, { input }) => {
    const labels = labelsOf(input["labels"]);
    const multiple = input["multiple"] === true;
    const system = systemText(input, labels, multiple);
    const about = fenced(input["object"] ?? null);
    checkPrompt([system, about]);
    const found = await withClient(parts, { context, input, purpose: "chat" }, (client) =>
      askJson(client, {
        system,
        messages: [{ role: "user", text: about }],
        maxTokens: null,
        temperature: null,
        schema: schemaFor(labels, multiple),
      }),
    );
    const { labels: chosen, confidence, reason } = isObject(found.json) ? found.json : {};
    const unique = [...new Set(labelsOf(chosen))];
    return outputOf([
      {
        ...(unique[0] === undefined ? {} : { label: unique[0] }),
        labels: unique,
        confidence: confidence ?? 0,
        reason: reason ?? "",
        ...usageOf({ model: found.answer.model, usage: found.usage }),
      },
    ]);
  },
});

function labelsOf(json: Json | undefined): readonly string[] {
  return isList(json) ? json.filter((label) => typeof label === "string") : [];
}

function systemText(input: JsonObject, labels: readonly string[], multiple: boolean): string {
  const { descriptions } = input;
  const described = isObject(descriptions) ? descriptions : {};
  const unknown = Object.keys(described).find((label) => !labels.includes(label));
  if (unknown !== undefined)
    throw plinthError("InvalidArgument", { detail: `\`descriptions\` has \`${unknown.slice(0, 64)}\`, which is no label.` });
  const list = labels.map((label) => {
    const description = Object.hasOwn(described, label) ? described[label] : undefined;
    return `- ${JSON.stringify(label)}${typeof description === "string" ? `: ${description}` : ""}`;
  });
  return [
    `Classify the material. Choose ${multiple ? "every label that fits, the best first, or none" : "the one label that fits best"}:`,
    list.join("\n"),
    textOf(input["instructions"]),
    DATA_RULE,
  ]
    .filter((text) => text !== null)
    .join("\n\n");
}

function schemaFor(labels: readonly string[], multiple: boolean): JsonSchema {
  return {
    type: "object",
    properties: {
      labels: {
        type: "array",
        items: { type: "string", enum: labels },
        minItems: multiple ? 0 : 1,
        maxItems: multiple ? labels.length : 1,
      },
      confidence: { type: "number", minimum: 0, maximum: 1 },
      reason: { type: "string", maxLength: limit("aiReasonCharsMax") },
    },
    required: ["labels", "confidence", "reason"],
    additionalProperties: false,
  };
}
