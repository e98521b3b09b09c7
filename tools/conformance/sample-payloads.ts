/** The least that each kind of caller would send to a function. */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";

export type CallKind = "automation" | "command" | "action" | "hook" | "operation" | "extractor" | "loader" | "initializer" | "none";

export interface SampleCall {
  readonly function: string;
  readonly kind: CallKind;
  readonly payload: Readonly<Record<string, unknown>>;
}

const ID = (type: string) => `don:core:dvrv-us-1:devo/0:${type}/1`;

/** One call per function and kind of use; functions that nothing in the manifest calls get an empty payload. */
export function sampleCalls(manifest: Manifest, platformUrl: string): readonly SampleCall[] {
  const { automations, commands, hooks, snapKitActions, operations, imports, snapComponents, configurationHandler } = manifest;
  const initializers = [...snapComponents, ...Object.values(configurationHandler)].map(({ initializer }) => initializer);
  const calls: SampleCall[] = [
    ...automations.map((each) => ({
      function: each.function,
      kind: "automation" as const,
      payload: eventPayload(each.eventTypes[0] ?? ""),
    })),
    ...commands.map((each) => ({ function: each.function, kind: "command" as const, payload: COMMAND })),
    ...snapKitActions.map((each) => ({ function: each.function, kind: "action" as const, payload: ACTION })),
    ...hooks.map((each) => ({ function: each.function, kind: "hook" as const, payload: {} })),
    ...operations.map((each) => ({
      function: each.function,
      kind: "operation" as const,
      payload: { metadata: { namespace: manifest.name, slug: each.slug, type: 1 }, input_port_name: "default", data: {} },
    })),
    ...imports.flatMap((each) => [
      ...EXTRACTIONS.map((eventType) => ({
        function: each.extractorFunction,
        kind: "extractor" as const,
        payload: syncPayload(platformUrl, each.slug, eventType),
      })),
      ...(each.loaderFunction === null
        ? []
        : [{ function: each.loaderFunction, kind: "loader" as const, payload: syncPayload(platformUrl, each.slug, "START_LOADING_DATA") }]),
    ]),
    ...initializers.flatMap((name) => (name === null ? [] : [{ function: name, kind: "initializer" as const, payload: {} }])),
  ];
  const first = new Map<string, SampleCall>();
  for (const call of calls) {
    const use = `${call.function} ${call.kind} ${"event_type" in call.payload ? String(call.payload["event_type"]) : ""}`;
    if (!first.has(use)) first.set(use, call);
  }
  const called = new Set(calls.map((call) => call.function));
  const uncalled = manifest.functions.filter(({ name }) => !called.has(name));
  return [...first.values(), ...uncalled.map(({ name }) => ({ function: name, kind: "none" as const, payload: {} }))];
}

/** The phases of an extraction, in the order in which a platform asks for them. */
const EXTRACTIONS = [
  "EXTRACTION_EXTERNAL_SYNC_UNITS_START",
  "EXTRACTION_METADATA_START",
  "EXTRACTION_DATA_START",
  "EXTRACTION_ATTACHMENTS_START",
] as const;

const WORK = {
  id: ID("ticket"),
  type: "ticket",
  display_id: "TKT-1",
  title: "Sample",
  body: "Sample",
  stage: { name: "queued" },
  created_by: { id: ID("devu"), display_name: "Sample" },
  owned_by: [{ id: ID("devu"), display_name: "Sample", display_id: "DEVU-1" }],
  applies_to_part: { id: ID("product") },
};

const COMMAND = {
  actor_id: ID("devu"),
  command_id: ID("command"),
  dev_org: "don:identity:dvrv-us-1:devo/0",
  parameters: "sample",
  parent_id: ID("snap_in"),
  request_id: "sample",
  source_id: ID("ticket"),
  surface: "display:discussions",
};

const ACTION = {
  action: { id: "sample", type: "BUTTON", value: "sample", block_id: "sample", timestamp: 0 },
  action_id: ID("snap_kit_action"),
  actor_id: ID("devu"),
  body: { snaps: [] },
  context: { entry_id: ID("entry"), parent_core_object_id: ID("ticket") },
  dev_org: "don:identity:dvrv-us-1:devo/0",
  parent_id: ID("snap_in"),
  request_id: "sample",
};

function eventPayload(eventType: string): Readonly<Record<string, unknown>> {
  const head = { id: "sample", timestamp: "2026-01-01T00:00:00.000Z", type: eventType, unique_key: "sample", webhook_id: "sample" };
  switch (eventType) {
    case "timer.tick":
      return { dev_oid: "don:identity:dvrv-us-1:devo/0", event_source_id: ID("event_source"), metadata: {}, scheduled_time: 0 };
    case "email.receive":
      return { subject: "Sample", emailBody: "Sample", htmlBody: "<p>Sample</p>", from: [], to: [], cc: [], bcc: [], artifactIds: [] };
    case "work_created":
      return { ...head, work_created: { work: WORK } };
    case "work_updated":
      return { ...head, work_updated: { work: WORK, old_work: WORK } };
    case "timeline_entry_created":
      return {
        ...head,
        timeline_entry_created: { entry: { id: ID("entry"), type: "timeline_comment", body: "Sample", object: ID("ticket") } },
      };
    default:
      return { ...head, [eventType.replace(/^custom:/, "")]: {} };
  }
}

function syncPayload(platformUrl: string, slug: string, eventType: string): Readonly<Record<string, unknown>> {
  return {
    event_type: eventType,
    connection_data: { org_id: "sample", org_name: "Sample", key: "placeholder", key_type: "secret" },
    event_context: {
      callback_url: `${platformUrl}/callback`,
      worker_data_url: `${platformUrl}/worker-data`,
      mode: "INITIAL",
      request_id: "sample",
      request_id_adaas: "sample",
      sync_unit: ID("sync_unit"),
      sync_unit_id: ID("sync_unit"),
      external_sync_unit_id: "sample",
      external_sync_unit_name: "Sample",
      external_system: "sample",
      external_system_type: "ADaaS",
      import_slug: slug,
      snap_in_slug: slug,
      snap_in_version_id: ID("snap_in_version"),
      run_id: "sample",
      sync_run: ID("sync_run"),
      sync_run_id: "sample",
      uuid: "sample",
      dev_oid: "don:identity:dvrv-us-1:devo/0",
      dev_org: "don:identity:dvrv-us-1:devo/0",
      dev_uid: ID("devu"),
      dev_user: ID("devu"),
    },
    event_data: {},
  };
}
