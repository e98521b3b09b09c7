import type { Config } from "../config.ts";
import type { AiDefaults } from "./ai-endpoints.ts";

export function aiDefaults(config: Config): AiDefaults {
  return {
    chat: { provider: config.aiProvider, baseUrl: config.aiBaseUrl, model: config.aiModel, keyring: config.aiKeyring },
    embeddings: {
      provider: "openai",
      baseUrl: config.embeddingsBaseUrl,
      model: config.embeddingsModel,
      keyring: config.embeddingsKeyring,
    },
  };
}
