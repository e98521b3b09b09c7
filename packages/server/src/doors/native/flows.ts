/** `/v1/flows` and `/v1/flow-runs`: definitions, runs, and what they wait for. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import type { Scope } from "../../database/database.ts";
import { flowAddress } from "../../flows/triggers/flow-address.ts";
import type { FlowTriggerRow } from "../../flows/triggers/trigger-records.ts";
import {
  objectField,
  optionalBooleanField,
  optionalNumberField,
  optionalShortTextField,
  shortTextField,
  textField,
  wrongField,
} from "../fields.ts";
import { hasScope } from "../authenticate.ts";
import { answerResult } from "../../flows/answer-result.ts";
import { startKeyField } from "./start-key.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { readJsonObject, type JsonObject as Body } from "../request-body.ts";
import type { RunDetail } from "../../flows/flows.ts";
import { shownParts } from "./flow-values.ts";
import { shownAnswers } from "./flow-answers.ts";
import { FLOW_DOCS } from "./flows-doc.ts";
import { statusField } from "./run-status.ts";
import { nameOf, READ, RUN, WRITE } from "./flow-access.ts";

const REASON_CHARS_MAX = limit("flowReasonCharsMax");

export const checkFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows/check",
  access: READ,
  doc: FLOW_DOCS.checkFlow,
  handle: async ({ flows }, request): Promise<Reply> =>
    jsonReply({ findings: await flows.check(request.caller.scope, objectField(readJsonObject(request), "definition")) }),
};

export const publishFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows",
  access: WRITE,
  doc: FLOW_DOCS.publishFlow,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const definition = objectField(body, "definition") as JsonObject;
    const published = await flows.publish(request.caller.scope, {
      definition,
      note: optionalShortTextField(body, "note", REASON_CHARS_MAX) ?? null,
    });
    return jsonReply(published.ok ? { version: published.version, findings: [] } : { version: null, findings: published.findings });
  },
};

export const listFlows: DocumentedRoute = {
  method: "GET",
  path: "/v1/flows",
  access: READ,
  doc: FLOW_DOCS.listFlows,
  handle: async ({ flows }, { caller }): Promise<Reply> => jsonReply({ flows: await flows.list(caller.scope) }),
};

export const getFlow: DocumentedRoute = {
  method: "GET",
  path: "/v1/flows/:name",
  access: READ,
  doc: FLOW_DOCS.getFlow,
  handle: async ({ flows }, { caller, params, query }): Promise<Reply> => {
    const name = params["name"] ?? "";
    const definition = await flows.definition(caller.scope, name, query.get("version") ?? undefined);
    return jsonReply({ definition, versions: await flows.versions(caller.scope, name) });
  },
};

export const switchFlow: DocumentedRoute = {
  method: "PUT",
  path: "/v1/flows/:name/state",
  access: WRITE,
  doc: FLOW_DOCS.switchFlow,
  handle: async ({ flows }, request): Promise<Reply> => {
    const isOn = optionalBooleanField(readJsonObject(request), "isOn");
    if (isOn === undefined) throw wrongField("isOn", "true or false", isOn);
    const name = request.params["name"] ?? "";
    await flows.setOn(request.caller.scope, name, isOn);
    return jsonReply({ name, isOn });
  },
};

export const deleteFlow: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/flows/:name",
  access: WRITE,
  doc: FLOW_DOCS.deleteFlow,
  handle: async ({ flows }, { caller, params }): Promise<Reply> => {
    const name = params["name"] ?? "";
    await flows.delete(caller.scope, name);
    return jsonReply({ name, deleted: true });
  },
};

export const getFlowAddress = addressRoute("GET", FLOW_DOCS.getFlowAddress, ({ flows }, scope, name) => flows.trigger(scope, name));
export const renewFlowAddress = addressRoute("POST", FLOW_DOCS.renewFlowAddress, ({ flows }, scope, name) =>
  flows.renewTrigger(scope, name),
);

export const startFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows/:name/runs",
  access: RUN,
  doc: FLOW_DOCS.startFlow,
  handle: async (context, request): Promise<Reply> => {
    const { flows } = context;
    const body = readJsonObject(request, { optional: true });
    const asked = optionalNumberField(body, "waitMs", { min: 0, max: limit("flowAnswerWaitMsMax") });
    const idempotencyKey = startKeyField(body);
    const { scope, actor } = request.caller;
    const flow = request.params["name"] ?? "";
    const waitMs = asked ?? (await replyWaitMs(flows, scope, flow));
    const start = {
      ...{ scope, actor, flow, input: anyField(body, "input"), source: "native" as const },
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    return waitMs === undefined
      ? jsonReply(await flows.start(start), 202)
      : jsonReply(await shownRun(context, request, await flows.startAndWait({ ...start, waitMs })));
  },
};

export const listFlowRuns: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs",
  access: READ,
  doc: FLOW_DOCS.listFlowRuns,
  handle: async ({ flows }, { caller, query }): Promise<Reply> => {
    const [flow, reason, after] = [query.get("flow"), query.get("reason"), query.get("after")];
    const status = query.getAll("status").flatMap((names) => names.split(","));
    const most = limit("flowRunsShownMax");
    const max = Number(query.get("limit") ?? most);
    if (!Number.isInteger(max) || max < 1 || max > most)
      throw plinthError("BadRequest", { detail: `\`limit\` is a number from 1 to ${most}.` });
    const stuck = query.get("stuck") ?? "false";
    if (stuck !== "true" && stuck !== "false") throw wrongField("stuck", "true or false", stuck);
    const filter = {
      ...(flow === null ? {} : { flow }),
      ...(status.length === 0 ? {} : { status: status.map(statusField) }),
      ...(reason === null ? {} : { reason }),
    };
    const page = { filter, isStuck: stuck === "true", max, ...(after === null ? {} : { after }) };
    return jsonReply(await flows.upkeep.runs(caller.scope, page));
  },
};

/** Tokens of answers are in it. */
export const getFlowRun: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs/:id",
  access: RUN,
  doc: FLOW_DOCS.getFlowRun,
  handle: async (context, request): Promise<Reply> => {
    const { caller, params } = request;
    const id = params["id"] ?? "";
    const run = await shownRun(context, request, await context.flows.run(caller.scope, id));
    const { flows } = context;
    const [children, refusedAnswers] = await Promise.all([flows.children(caller.scope, id), flows.refusedAnswers(caller.scope, id)]);
    return jsonReply({ ...run, children, refusedAnswers });
  },
};

export const getFlowLogs: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs/:id/logs",
  access: READ,
  doc: FLOW_DOCS.getFlowLogs,
  handle: async ({ flows }, { caller, params, query }): Promise<Reply> => {
    const after = query.get("after");
    const page = { limit: limit("flowLogsShownMax"), ...(after === null ? {} : { after }) };
    return jsonReply({ steps: await flows.logs(caller.scope, params["id"] ?? "", page) });
  },
};

export const signalFlowRun = change("signal", FLOW_DOCS.signalFlowRun, async ({ flows }, { request, id, body, by }) => {
  await flows.signal(request.caller.scope, id, {
    name: shortTextField(body, "name", limit("flowSignalNameCharsMax")),
    payload: anyField(body, "payload"),
    by,
  });
});

export const cancelFlowRun = change("cancel", FLOW_DOCS.cancelFlowRun, async ({ flows }, { request, id, body, by }) => {
  await flows.cancel(request.caller.scope, id, { by, reason: optionalShortTextField(body, "reason", REASON_CHARS_MAX) ?? "" });
});

export const pauseFlowRun = change("pause", FLOW_DOCS.pauseFlowRun, async ({ flows }, { request, id, body, by }) => {
  await flows.pause(request.caller.scope, id, { by, reason: optionalShortTextField(body, "reason", REASON_CHARS_MAX) ?? "" });
});

export const resumeFlowRun = change("resume", FLOW_DOCS.resumeFlowRun, async ({ flows }, { request, id, by }) => {
  await flows.resume(request.caller.scope, id, { by });
});

export const retryFlowRun = change("retry", FLOW_DOCS.retryFlowRun, async ({ flows }, { request, id, body, by }) => {
  const input = Object.hasOwn(body, "input") ? { input: anyField(body, "input") } : {};
  const mayChoose = hasScope(request.caller.actor, "deploy");
  await flows.retry(request.caller.scope, id, { by, node: textField(body, "node"), mayChoose, ...input });
});

export const answerFlowStep: DocumentedRoute = {
  method: "POST",
  path: "/v1/flow-answers",
  access: RUN,
  doc: FLOW_DOCS.answerFlowStep,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const error = body["error"] === undefined || body["error"] === null ? undefined : objectField(body, "error");
    await flows.answer(request.caller.scope, {
      token: textField(body, "token"),
      by: nameOf(request),
      result:
        error === undefined
          ? { kind: "output", output: anyField(body, "output") }
          : answerResult({ error: { code: textField(error, "code"), message: textField(error, "message") } }),
    });
    return jsonReply({ answered: true });
  },
};

async function shownRun(context: DoorContext, request: DoorRequest, run: RunDetail) {
  return { ...run, stored: shownParts(run.stored), answers: await shownAnswers(context, request, run) };
}

/** What starts by the API wait for, where the trigger says so. */
async function replyWaitMs(flows: DoorContext["flows"], scope: Scope, flow: string): Promise<number | undefined> {
  const { type, data } = await flows.trigger(scope, flow);
  return type === "api" && data["reply"] === "sync" ? limit("flowAnswerWaitMsMax") : undefined;
}

/** An address is a secret: who may publish flows may know it. */
function addressRoute(
  method: "GET" | "POST",
  doc: DocumentedRoute["doc"],
  trigger: (context: DoorContext, scope: Scope, name: string) => Promise<FlowTriggerRow>,
): DocumentedRoute {
  return {
    method,
    path: "/v1/flows/:name/address",
    access: WRITE,
    doc,
    handle: async (context, { caller: { scope }, params }): Promise<Reply> => {
      const { flow, type, secret, isOn } = await trigger(context, scope, params["name"] ?? "");
      if (type !== "webhook") throw plinthError("NotFound", { what: `address of the flow '${flow}', whose trigger is no webhook` });
      const { api } = await context.urls;
      return jsonReply({ name: flow, isOn, url: `${api}/v1/flow-hooks/${flowAddress({ scope, flow, secret })}` });
    },
  };
}

interface Change {
  readonly request: DoorRequest;
  readonly id: string;
  readonly body: Body;
  readonly by: string;
}

function change(verb: string, doc: DocumentedRoute["doc"], make: (context: DoorContext, change: Change) => Promise<void>): DocumentedRoute {
  return {
    method: "POST",
    path: `/v1/flow-runs/:id/${verb}`,
    access: RUN,
    doc,
    handle: async (context, request): Promise<Reply> => {
      const id = request.params["id"] ?? "";
      await make(context, { request, id, body: readJsonObject(request, { optional: true }), by: nameOf(request) });
      return jsonReply({ id, changed: true });
    },
  };
}

/** Bodies are JSON, so their fields are. */
function anyField(body: Body, name: string): Json {
  return (body[name] ?? null) as Json;
}
