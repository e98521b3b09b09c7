/** Endpoints that speak Anthropic's messages. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonSchema } from "@plinth/core/operations/operation.ts";
import { aiError } from "./ai-errors.ts";
import type { AiAnswer, AiClient, AiEndpoint, Send } from "./ai-client.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { at, countAt, textAt } from "./openai-client.ts";

/** The protocol wants a number. */
const TOKENS_DEFAULT = 4096;
/** The model answers in JSON by "calling" this. */
const TOOL = "answer";

export async function anthropicClient(endpoint: AiEndpoint, send: Send): Promise<AiClient> {
  const { Anthropic } = await import("@anthropic-ai/sdk");
  const sdk = new Anthropic({
    apiKey: "none",
    baseURL: endpoint.baseUrl,
    maxRetries: 0,
    timeout: limit("aiCallMsMax"),
    logLevel: "off",
    fetch: guardedFetch(send, endpoint.key === null ? [] : [["x-api-key", endpoint.key]]),
  });
  return {
    ask: async (question) => {
      try {
        const message = await sdk.messages.create({
          model: endpoint.model,
          max_tokens: question.maxTokens ?? TOKENS_DEFAULT,
          messages: question.messages.map(({ role, text }) => ({ role, content: text })),
          ...(question.system === null ? {} : { system: question.system }),
          ...(question.temperature === null ? {} : { temperature: question.temperature }),
          ...(question.schema === null ? {} : toolFor(question.schema)),
        });
        return answerOf(message, question.schema !== null);
      } catch (error) {
        throw aiError(error, endpoint);
      }
    },
    embed: async () => {
      throw plinthError("AiRefused", { detail: "Anthropic's protocol has no embeddings; name an OpenAI-compatible endpoint" });
    },
  };
}

function toolFor(schema: JsonSchema) {
  return {
    tools: [{ name: TOOL, description: "Gives the answer.", input_schema: { ...schema, type: "object" as const } }],
    tool_choice: { type: "tool" as const, name: TOOL },
  };
}

function answerOf(message: unknown, structured: boolean): AiAnswer {
  const content = at(message, "content");
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const tool = blocks.find((block) => at(block, "type") === "tool_use" && at(block, "name") === TOOL);
  const texts = blocks.flatMap((block) => {
    const text = at(block, "type") === "text" ? at(block, "text") : undefined;
    return typeof text === "string" ? [text] : [];
  });
  const text = structured && tool !== undefined ? JSON.stringify(at(tool, "input") ?? null) : texts.join("");
  if (text === "") throw plinthError("AiAnswerInvalid", { detail: "it holds no text" });
  const usage = at(message, "usage");
  return {
    text,
    model: textAt(message, "model"),
    stopReason: textAt(message, "stop_reason"),
    usage: { inputTokens: countAt(usage, "input_tokens"), outputTokens: countAt(usage, "output_tokens") },
  };
}
