/** The kinds of calls. */
import { agentCall } from "./agent.ts";
import type { CallKind, CallKindName } from "./call.ts";
import { functionCall } from "./function.ts";
import { httpCall } from "./http.ts";
import { inlineCall } from "./inline.ts";
import { loadCall } from "./load.ts";
import { operationCall } from "./operation.ts";
import { subflowCall } from "./subflow.ts";

export const CALL_KINDS: { readonly [Kind in CallKindName]: CallKind<Kind> } = {
  function: functionCall,
  operation: operationCall,
  http: httpCall,
  inline: inlineCall,
  subflow: subflowCall,
  agent: agentCall,
  load: loadCall,
};
