/** Started by calls of the API, with a key: `POST /v1/flows/{name}/runs`. */
import type { TriggerKind } from "./trigger.ts";

export const apiTrigger: TriggerKind = { type: "api", source: "native" };
