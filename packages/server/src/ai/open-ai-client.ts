import type { AiClient, AiEndpoint, Send } from "./ai-client.ts";
import { anthropicClient } from "./anthropic-client.ts";
import { openaiClient } from "./openai-client.ts";

/** `send` is the egress guard. */
export async function openAiClient(endpoint: AiEndpoint, send: Send): Promise<AiClient> {
  return endpoint.provider === "openai" ? await openaiClient(endpoint, send) : await anthropicClient(endpoint, send);
}
