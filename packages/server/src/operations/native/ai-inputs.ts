/**
 * What all operations that ask a model have in common: inputs that say which one, the way to it, and what is told of the answer.
 *
 * A5 Where a model chooses the inputs (agents, MCP), and for service accounts, a keyring cannot be named: it would send any of the
 *    branch's credentials to any address. They use the keyring of the host's settings.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject, OperationField } from "@plinth/core/operations/operation.ts";
import type { AiClient, AiUsage } from "../../ai/ai-client.ts";
import type { AiEndpoints, EndpointInputs } from "../../ai/ai-endpoints.ts";
import { openAiClient } from "../../ai/open-ai-client.ts";
import type { NativeContext } from "../../engine/native-code.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { nativeField } from "./describe.ts";

const MODEL_CHOSEN: ReadonlySet<string> = new Set(["agentSkill", "mcp"]);

export const ENDPOINT_FIELDS: readonly OperationField[] = [
  nativeField("model", "text", "Name of the model; that of the host's settings when absent."),
  nativeField("provider", "enum", "Protocol of the endpoint: `openai` is spoken by many others too.", {
    allowedValues: ["openai", "anthropic"],
  }),
  nativeField("base_url", "text", "Address of the endpoint, up to the version, such as https://api.openai.com/v1."),
  nativeField("keyring", "text", "Name of the branch's keyring with the key. Agents cannot name one."),
  nativeField("timeout_ms", "int", "How long all of it may take.", {
    defaultValue: limit("aiCallMs"),
    schema: { type: "integer", minimum: 1, maximum: limit("aiCallMsMax") },
  }),
];

export const USAGE_FIELDS: readonly OperationField[] = [
  nativeField("model", "text", "The model that answered.", { isRequired: true }),
  nativeField("usage", "struct", "Tokens, as the endpoint counted them.", {
    isRequired: true,
    fields: [nativeField("input_tokens", "int", "", { isRequired: true }), nativeField("output_tokens", "int", "", { isRequired: true })],
  }),
];

export interface AiParts {
  readonly runtime: Runtime;
  readonly ai: AiEndpoints;
}

/** Asks the endpoint that the inputs mean, within their time. */
export async function withClient<T>(
  { runtime, ai }: AiParts,
  { context, input, purpose }: { readonly context: NativeContext; readonly input: JsonObject; readonly purpose: EndpointInputs["purpose"] },
  body: (client: AiClient) => Promise<T>,
): Promise<T> {
  const keyring = textOf(input["keyring"]);
  if (keyring !== null) mayNameKeyrings(context, "leave it out to use that of the host's settings");
  const timeoutMs = numberOf(input["timeout_ms"]) ?? limit("aiCallMs");
  const time = new AbortController();
  const timer = runtime.timer(timeoutMs, () =>
    time.abort(plinthError("AiUnavailable", { detail: `there was no answer within ${timeoutMs} ms` })),
  );
  try {
    const endpoint = await ai.resolve(context.scope, {
      provider: textOf(input["provider"]),
      baseUrl: textOf(input["base_url"]),
      model: textOf(input["model"]),
      keyring,
      purpose,
    });
    return await body(await openAiClient(endpoint, (request) => context.fetch(request, { signal: time.signal })));
  } catch (error) {
    if (time.signal.aborted && !context.signal.aborted) throw time.signal.reason;
    throw error;
  } finally {
    timer.cancel();
  }
}

/** A5: throws InvalidArgument where no keyring may be named. */
export function mayNameKeyrings(context: NativeContext, instead: string): void {
  if (isModelChosen(context)) throw plinthError("InvalidArgument", { detail: `A keyring cannot be named here; ${instead}.` });
}

function isModelChosen({ request: { actor, source } }: NativeContext): boolean {
  return actor.kind === "service" || actor.service !== undefined || MODEL_CHOSEN.has(source);
}

export function usageOf({ model, usage }: { readonly model: string; readonly usage: AiUsage }): JsonObject {
  return { model, usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens } };
}

/** Refuses what is longer than a question may be. */
export function checkPrompt(texts: readonly (string | null)[]): void {
  const actual = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  const max = limit("aiPromptCharsMax");
  if (actual > max) throw plinthError("LimitExceeded", { what: "Characters of a question to a model", actual, max });
}

export function textOf(json: Json | undefined): string | null {
  return typeof json === "string" && json !== "" ? json : null;
}

export function numberOf(json: Json | undefined): number | null {
  return typeof json === "number" ? json : null;
}
