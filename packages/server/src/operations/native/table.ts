/** The native operations, one line for each. */
import { agentKnowledgeFetch } from "./agent-knowledge-fetch.ts";
import { askAi } from "./ask-ai.ts";
import { classifyObject } from "./classify-object.ts";
import { embedText } from "./embed-text.ts";
import { evaluateSentiment } from "./evaluate-sentiment.ts";
import { executeCode } from "./execute-code.ts";
import { http } from "./http.ts";
import { hybridSearch } from "./hybrid-search.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

export const NATIVE_OPERATIONS: readonly MakeNativeOperation[] = [
  http,
  executeCode,
  askAi,
  classifyObject,
  evaluateSentiment,
  embedText,
  hybridSearch,
  agentKnowledgeFetch,
];
