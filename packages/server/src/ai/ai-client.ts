/**
 * Questions to language models: any endpoint that speaks OpenAI's or Anthropic's protocol, through their SDKs. This file is the
 * contract; `open-ai-client.ts` makes one.
 *
 * A1 Every request goes through the `send` that was given, which is the egress guard; the SDKs get no other way out, and nothing of
 *    the host's environment (keys, addresses, headers) gets into a request.
 * A2 The key goes to the one endpoint that it was given for: redirects are not followed.
 * A3 What goes wrong is AiRefused (a change is needed) or AiUnavailable (later it may work); no error and no answer holds the key.
 */
import type { JsonSchema } from "@plinth/core/operations/operation.ts";
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";

export type AiProvider = "openai" | "anthropic";

/** Which endpoint is asked, and how. */
export interface AiEndpoint {
  readonly provider: AiProvider;
  readonly baseUrl: string;
  readonly model: string;
  /** null: the endpoint needs none. */
  readonly key: string | null;
  /** Takes the key out of a text. */
  readonly redact: (text: string) => string;
}

export interface AiMessage {
  readonly role: "user" | "assistant";
  readonly text: string;
}

export interface AiQuestion {
  readonly system: string | null;
  readonly messages: readonly AiMessage[];
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  /** The answer is to be JSON of this schema. */
  readonly schema: JsonSchema | null;
}

export interface AiAnswer {
  /** With a schema: JSON text, as the model wrote it. */
  readonly text: string;
  readonly model: string;
  readonly stopReason: string;
  readonly usage: AiUsage;
}

export interface AiUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface AiClient {
  ask(question: AiQuestion): Promise<AiAnswer>;
  /** The vector of a text. AiRefused for Anthropic, which has no such endpoint. */
  embed(text: string): Promise<readonly number[]>;
}

export type Send = (request: FetchRequest) => Promise<FetchResponse>;
