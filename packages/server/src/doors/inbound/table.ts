/** The routes that the outside sends events to. */
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { getArtefact, postEmail } from "./emails.ts";
import { getFlowHook, postFlowHook } from "./flow-hooks.ts";
import { getFlowAnswer, postFlowAnswer } from "./flow-answers.ts";
import { postScriptReport } from "./script-reports.ts";
import { INBOUND_DOCS } from "./inbound-doc.ts";
import { getEventSource, getWebhook, postEventSource, postWebhook } from "./webhooks.ts";

export const INBOUND_ROUTES = {
  getWebhook: { ...getWebhook, doc: INBOUND_DOCS.getWebhook },
  postWebhook: { ...postWebhook, doc: INBOUND_DOCS.postWebhook },
  getEventSource: { ...getEventSource, doc: INBOUND_DOCS.getEventSource },
  postEventSource: { ...postEventSource, doc: INBOUND_DOCS.postEventSource },
  getFlowHook: { ...getFlowHook, doc: INBOUND_DOCS.getFlowHook },
  postFlowHook: { ...postFlowHook, doc: INBOUND_DOCS.postFlowHook },
  getFlowAnswer: { ...getFlowAnswer, doc: INBOUND_DOCS.getFlowAnswer },
  postFlowAnswer: { ...postFlowAnswer, doc: INBOUND_DOCS.postFlowAnswer },
  postScriptReport: { ...postScriptReport, doc: INBOUND_DOCS.postScriptReport },
  postEmail: { ...postEmail, doc: INBOUND_DOCS.postEmail },
  getInboundArtefact: { ...getArtefact, doc: INBOUND_DOCS.getArtefact },
} as const satisfies Record<string, DocumentedRoute>;
