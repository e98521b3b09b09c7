/** The kinds of calls. Those that are null are refused when a flow is saved (host-findings.ts). */
import type { CallKind, CallKindName } from "./call.ts";
import { functionCall } from "./function.ts";
import { httpCall } from "./http.ts";
import { inlineCall } from "./inline.ts";
import { loadCall } from "./load.ts";
import { operationCall } from "./operation.ts";
import { subflowCall } from "./subflow.ts";

export const CALL_KINDS: { readonly [Kind in CallKindName]: CallKind<Kind> | null } = {
  function: functionCall,
  operation: operationCall,
  http: httpCall,
  inline: inlineCall,
  subflow: subflowCall,
  agent: null,
  load: loadCall,
};
