/** Endpoints that speak OpenAI's chat completions and embeddings. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { aiError } from "./ai-errors.ts";
import type { AiAnswer, AiClient, AiEndpoint, AiQuestion, Send } from "./ai-client.ts";
import { guardedFetch } from "./guarded-fetch.ts";

export async function openaiClient(endpoint: AiEndpoint, send: Send): Promise<AiClient> {
  // Loaded when it is first needed: most hosts never are.
  const { OpenAI } = await import("openai");
  const sdk = new OpenAI({
    // The SDK wants a key; what is sent as one `guardedFetch` says.
    apiKey: "none",
    baseURL: endpoint.baseUrl,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: limit("aiCallMsMax"),
    logLevel: "off",
    fetch: guardedFetch(send, endpoint.key === null ? [] : [["authorization", `Bearer ${endpoint.key}`]]),
  });
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw aiError(error, endpoint);
    }
  };
  return {
    ask: (question) =>
      told(async () => {
        const completion = await sdk.chat.completions.create({
          model: endpoint.model,
          messages: [
            ...(question.system === null ? [] : [{ role: "system" as const, content: question.system }]),
            ...question.messages.map(({ role, text }) => ({ role, content: text })),
          ],
          ...tokens(endpoint, question),
          ...(question.temperature === null ? {} : { temperature: question.temperature }),
          ...(question.schema === null
            ? {}
            : { response_format: { type: "json_schema" as const, json_schema: { name: "answer", schema: question.schema } } }),
        });
        return answerOf(completion);
      }),
    embed: (text) =>
      told(async () => {
        // Without a format the SDK asks for base64, which many compatible endpoints do not know.
        const answer: unknown = await sdk.embeddings.create({ model: endpoint.model, input: text, encoding_format: "float" });
        const vector = vectorOf(answer);
        if (vector === undefined) throw plinthError("AiAnswerInvalid", { detail: "it holds no vector" });
        return vector;
      }),
  };
}

/** OpenAI's newer models know only the newer name, most other servers only the older one. */
function tokens({ baseUrl }: AiEndpoint, { maxTokens }: AiQuestion) {
  if (maxTokens === null) return {};
  return new URL(baseUrl).hostname === "api.openai.com" ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };
}

/** The types of the SDK say what a well-behaved endpoint sends; this looks. */
function answerOf(completion: unknown): AiAnswer {
  const choice = at(at(completion, "choices"), 0);
  const text = at(at(choice, "message"), "content");
  if (typeof text !== "string") {
    const refusal = at(at(choice, "message"), "refusal");
    throw plinthError("AiAnswerInvalid", { detail: typeof refusal === "string" ? "the model refused to answer" : "it holds no text" });
  }
  const usage = at(completion, "usage");
  return {
    text,
    model: textAt(completion, "model"),
    stopReason: textAt(choice, "finish_reason"),
    usage: { inputTokens: countAt(usage, "prompt_tokens"), outputTokens: countAt(usage, "completion_tokens") },
  };
}

function vectorOf(answer: unknown): readonly number[] | undefined {
  const vector = at(at(at(answer, "data"), 0), "embedding");
  if (!Array.isArray(vector) || vector.length === 0 || vector.length > limit("vectorDimensionsMax")) return undefined;
  const numbers = vector.filter((part): part is number => typeof part === "number" && Number.isFinite(part));
  return numbers.length === vector.length ? numbers : undefined;
}

export function at(value: unknown, name: string | number): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

export function textAt(value: unknown, name: string): string {
  const text = at(value, name);
  return typeof text === "string" ? text.slice(0, limit("aiErrorTextCharsMax")) : "";
}

export function countAt(value: unknown, name: string): number {
  const count = at(value, name);
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : 0;
}
