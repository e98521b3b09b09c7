import type { AiClient, AiEndpoint, Send } from "./ai-client.ts";
import { anthropicClient } from "./anthropic-client.ts";
import { openaiClient } from "./openai-client.ts";

/** `send` is the egress guard. */
export async function openAiClient(endpoint: AiEndpoint, send: Send): Promise<AiClient> {
  const client = endpoint.provider === "openai" ? await openaiClient(endpoint, send) : await anthropicClient(endpoint, send);
  const { redact } = endpoint;
  return {
    // An endpoint may say its key again, which then is not told further (A3).
    ask: async (question) => {
      const answer = await client.ask(question);
      return { ...answer, text: redact(answer.text), model: redact(answer.model), stopReason: redact(answer.stopReason) };
    },
    embed: (text) => client.embed(text),
  };
}
