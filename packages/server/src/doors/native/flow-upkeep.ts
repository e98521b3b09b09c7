/** `/v1/flows` and `/v1/flow-runs`: comparisons, dry runs, moves, what a run does now, changes of many runs, documents. */
import { plinthError } from "@plinth/core/errors.ts";
import { momentMs } from "@plinth/core/flow/durations.ts";
import { parseDryRun } from "@plinth/core/flow/tests/parse-flow-test.ts";
import type { StepNote } from "@plinth/core/flow/notes.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { newInvocationId } from "../../engine/invocation-ids.ts";
import type { BulkAction, BulkRequest, RunFilter, RunNews } from "../../flows/upkeep/upkeep.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, type Reply } from "../door.ts";
import { streamFormOf } from "../event-stream.ts";
import {
  arrayField,
  choiceField,
  objectField,
  optionalBooleanField,
  optionalNumberField,
  optionalShortTextField,
  optionalTextField,
  shortTextField,
  textField,
  wrongField,
} from "../fields.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { readJsonObject, type JsonObject as Body } from "../request-body.ts";
import { startKeyField } from "./start-key.ts";
import { statusField } from "./run-status.ts";
import { nameOf, READ, RUN, WRITE } from "./flow-access.ts";
import { shownParts } from "./flow-values.ts";
import { FLOW_UPKEEP_DOCS } from "./flow-upkeep-doc.ts";

export const compareFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows/compare",
  access: ["read", "deploy"],
  doc: FLOW_UPKEEP_DOCS.compareFlow,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const runsMax = optionalNumberField(body, "runs", { min: 0, max: limit("flowCompareRunsMax") }) ?? limit("flowCompareRuns");
    const definition = jsonField(body, "definition");
    return jsonReply(await flows.upkeep.compare(request.caller.scope, { definition, runsMax }));
  },
};

export const dryRunFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows/dry-run",
  access: ["invoke", "deploy"],
  doc: FLOW_UPKEEP_DOCS.dryRunFlow,
  handle: async ({ flows }, request): Promise<Reply> => {
    const { flow: name, version, definition, ...asked } = readJsonObject(request);
    // Code that is not published is code that its sender runs.
    if (definition !== undefined && !hasScope(request.caller.actor, "deploy")) throw plinthError("Forbidden", { scope: "deploy" });
    const parsed = parseDryRun(asked);
    if (!parsed.ok) return jsonReply({ report: null, steps: [], logs: [], findings: parsed.findings.map(asFinding) });
    const flow =
      definition === undefined
        ? { name: textField({ flow: name }, "flow"), version: optionalTextField({ version }, "version") ?? null }
        : { definition: jsonField({ definition }, "definition") };
    const { scope, actor } = request.caller;
    const outcome = await flows.upkeep.dryRun({ scope, actor, flow, ...parsed.request, signal: request.signal() });
    if (!outcome.ok) return jsonReply({ report: null, steps: [], logs: [], findings: outcome.findings });
    return jsonReply({ report: outcome.report, steps: outcome.steps.map(shownStep), logs: outcome.logs, findings: [] });
  },
};

/** Tokens of answers are not in it. */
export const getFlowRunState: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs/:id/state",
  access: READ,
  doc: FLOW_UPKEEP_DOCS.getFlowRunState,
  handle: async ({ flows, commits }, { caller, params, query, headers }): Promise<Reply> => {
    const [id, { scope }] = [params["id"] ?? "", caller];
    const form = streamFormOf(headers.accept);
    const place = await flows.upkeep.place(scope, id);
    if (form === undefined) return jsonReply(place);
    const after = Number(query.get("after") ?? 0);
    if (!Number.isSafeInteger(after) || after < 0) throw wrongField("after", "the `cursor` of an event that you have", query.get("after"));
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        for await (const news of flows.upkeep.watch(scope, id, { after, signal: stream.signal, commits }))
          stream.send(news.type, JSON.stringify(shownNews(news)));
      },
    };
  },
};

export const moveFlowRun: DocumentedRoute = {
  method: "POST",
  path: "/v1/flow-runs/:id/move",
  access: WRITE,
  doc: FLOW_UPKEEP_DOCS.moveFlowRun,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const move = { to: textField(body, "to"), isDry: optionalBooleanField(body, "dryRun") ?? false, by: nameOf(request) };
    return jsonReply(await flows.upkeep.move(request.caller.scope, request.params["id"] ?? "", move));
  },
};

export const rerunFlowRun: DocumentedRoute = {
  method: "POST",
  path: "/v1/flow-runs/:id/rerun",
  access: RUN,
  doc: FLOW_UPKEEP_DOCS.rerunFlowRun,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request, { optional: true });
    const { scope, actor } = request.caller;
    const idempotencyKey = startKeyField(body);
    const rerun = { actor, ...inputOf(body), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
    return jsonReply(await flows.upkeep.rerun(scope, request.params["id"] ?? "", rerun), 202);
  },
};

export const changeFlowRuns: DocumentedRoute = {
  method: "POST",
  path: "/v1/flow-runs/changes",
  access: RUN,
  doc: FLOW_UPKEEP_DOCS.changeFlowRuns,
  handle: async ({ flows, runtime }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const { scope, actor } = request.caller;
    const after = optionalTextField(body, "after");
    const max = limit("flowBulkRunsMax");
    const bulk: BulkRequest = {
      ...{ actor, by: nameOf(request), id: optionalTextField(body, "id") ?? newInvocationId(runtime) },
      filter: filterOf(objectField(body, "filter")),
      action: actionOf(objectField(body, "action")),
      max: optionalNumberField(body, "max", { min: 1, max }) ?? max,
      ...(after === undefined ? {} : { after }),
      isDry: optionalBooleanField(body, "dryRun") ?? false,
    };
    if (changesMore(bulk.action) && !hasScope(actor, "deploy")) throw plinthError("Forbidden", { scope: "deploy" });
    return jsonReply({ id: bulk.id, ...(await flows.upkeep.bulk(scope, bulk)) });
  },
};

export const exportFlow: DocumentedRoute = {
  method: "GET",
  path: "/v1/flows/:name/export",
  access: ["read", "deploy"],
  doc: FLOW_UPKEEP_DOCS.exportFlow,
  handle: async ({ flows }, { caller, params, query }): Promise<Reply> => {
    const runs = query.getAll("run");
    if (runs.length > limit("flowExportRunsMax"))
      throw plinthError("BadRequest", { detail: `At most ${limit("flowExportRunsMax")} runs go along.` });
    return jsonReply(await flows.upkeep.export(caller.scope, { flow: params["name"] ?? "", version: query.get("version"), runs }));
  },
};

export const importFlow: DocumentedRoute = {
  method: "POST",
  path: "/v1/flows/import",
  access: WRITE,
  doc: FLOW_UPKEEP_DOCS.importFlow,
  handle: async ({ flows }, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const asked = {
      document: jsonField(body, "document"),
      note: optionalShortTextField(body, "note", limit("flowReasonCharsMax")) ?? null,
      isDry: optionalBooleanField(body, "dryRun") ?? false,
    };
    const imported = await flows.upkeep.import(request.caller.scope, asked);
    const { ok, findings } = imported;
    return jsonReply({ imported: ok && !asked.isDry, version: imported.ok ? imported.version : null, findings });
  },
};

export const getFlowTests: DocumentedRoute = {
  method: "GET",
  path: "/v1/flows/:name/tests",
  access: READ,
  doc: FLOW_UPKEEP_DOCS.getFlowTests,
  handle: async ({ flows }, { caller, params }): Promise<Reply> =>
    jsonReply({ tests: await flows.upkeep.tests(caller.scope, params["name"] ?? "") }),
};

export const setFlowTests: DocumentedRoute = {
  method: "PUT",
  path: "/v1/flows/:name/tests",
  access: WRITE,
  doc: FLOW_UPKEEP_DOCS.setFlowTests,
  handle: async ({ flows }, request): Promise<Reply> => {
    const tests = jsonField(readJsonObject(request), "tests");
    const findings = await flows.upkeep.setTests(request.caller.scope, { flow: request.params["name"] ?? "", tests });
    return jsonReply({ findings });
  },
};

/** What code runs, or what steps are given, without regard to the steps before them. */
function changesMore(action: BulkAction): boolean {
  return action.kind === "move" || (action.kind === "retry" && (action.node !== undefined || action.input !== undefined));
}

function filterOf(json: Body): RunFilter {
  const known = ["flow", "status", "reason", "version", "startedAfter", "startedBefore"];
  const unknown = Object.keys(json).find((name) => !known.includes(name));
  // A filter that is not understood would change more runs than was meant.
  if (unknown !== undefined)
    throw plinthError("BadRequest", { detail: `\`filter\` knows no \`${unknown.slice(0, 60)}\`; it has ${known.join(", ")}.` });
  const [flow, reason, version] = ["flow", "reason", "version"].map((name) => optionalTextField(json, name));
  if (version !== undefined && !/^[0-9a-f]{7,64}$/.test(version))
    throw wrongField("version", "a digest, or 7 digits of it at least", version);
  const status = json["status"] === undefined || json["status"] === null ? undefined : arrayField(json, "status").map(statusField);
  const [startedAfterMs, startedBeforeMs] = [momentField(json, "startedAfter"), momentField(json, "startedBefore")];
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    ...(version === undefined ? {} : { version }),
    ...(startedAfterMs === undefined ? {} : { startedAfterMs }),
    ...(startedBeforeMs === undefined ? {} : { startedBeforeMs }),
  };
}

function momentField(json: Body, name: string): number | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === "number" || typeof value === "string" ? momentMs(value) : null;
  if (ms === null) throw wrongField(name, "a time such as 2030-01-31T09:30:00Z", value);
  return ms;
}

function actionOf(json: Body): BulkAction {
  const kind = choiceField(json, "kind", ["cancel", "pause", "resume", "retry", "signal", "rerun", "move"]);
  switch (kind) {
    case "cancel":
    case "pause":
      return { kind, reason: optionalShortTextField(json, "reason", limit("flowReasonCharsMax")) ?? "" };
    case "resume":
      return { kind };
    case "retry": {
      const node = optionalTextField(json, "node");
      return { kind, ...(node === undefined ? {} : { node }), ...inputOf(json) };
    }
    case "signal":
      return { kind, name: shortTextField(json, "name", limit("flowSignalNameCharsMax")), payload: (json["payload"] ?? null) as Json };
    case "rerun":
      return { kind, ...inputOf(json) };
    case "move":
      return { kind, to: textField(json, "to") };
    case undefined:
      throw wrongField("action.kind", "what is to be done, such as cancel", undefined);
  }
}

/** Null counts where it is given. */
function inputOf(body: Body): { readonly input?: Json } {
  return Object.hasOwn(body, "input") ? { input: body["input"] as Json } : {};
}

/** Bodies are JSON, so their fields are. */
function jsonField(body: Body, name: string): JsonObject {
  return objectField(body, name) as JsonObject;
}

function asFinding({ path, message }: { readonly path: string; readonly message: string }) {
  return { path, node: null, message, severity: "error" };
}

function shownNews(news: RunNews) {
  const { cursor } = news;
  switch (news.type) {
    case "step":
      return { cursor, step: shownStep(news.step) };
    case "print":
      return { cursor, print: news.print };
    case "run":
    case "end":
      return { cursor, run: news.run };
  }
}

function shownStep(step: StepNote) {
  return { ...step, value: step.value?.json ?? null, stored: shownParts(step.value?.stored) };
}
