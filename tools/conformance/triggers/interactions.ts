/** What users do: commands at objects, forms and buttons that packages show, operations. */
import { fromBinary } from "@bufbuild/protobuf";
import type { FieldDescriptor } from "@plinth/core/manifest/manifest.ts";
import { OperationOutputSchema } from "../../../packages/server/src/protobuf/_generated/devrev/operation_pb.js";
import { call, field, send, type Json } from "../../../packages/cli/src/client.ts";
import { notApplicable, report, type Drive, type Triggered } from "./drive.ts";
import { formsOf, type ShownForm } from "./shown-forms.ts";
import type { TriggerReport } from "./trigger-report.ts";

/** Forms that lead to further forms end somewhere. */
const FORMS_MAX = 4;
const FORM_WAIT_MS = 45_000;

export async function driveCommands(drive: Drive): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  for (const { namespace, name, surfaces, usageHint } of drive.manifest.commands)
    for (const type of new Set(surfaces.flatMap(({ objectTypes }) => objectTypes))) {
      const trigger = `/${name} at ${type}`;
      const object = type === "snap_in" ? snapInName(drive) : await drive.crm.objectOf(type);
      if (object === undefined) {
        reports.push(notApplicable("command", trigger, `the CRM has no objects of the type ${type}`));
        continue;
      }
      const body = { object, parameters: parametersOf(usageHint), user: drive.crm.user };
      reports.push(
        await report(drive, { kind: "command", trigger }, async () =>
          outcomeOf(await call(drive.connection, `/v1/commands/${namespace}/${name}`, { body })),
        ),
      );
      reports.push(...(await submitForms(drive, object)));
    }
  return reports;
}

/** `[chat/email] [question]` → `chat sample`. */
function parametersOf(usageHint: string): string {
  const asked = usageHint.match(/\[[^\]]*\]/g) ?? ["[text]"];
  return asked.map((part) => (part.includes("/") ? part.slice(1).split("/")[0] : "sample")).join(" ");
}

/** Submits what the package shows at an object, and what it shows after that. */
async function submitForms(drive: Drive, object: string): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  const seen = new Set<string>();
  for (let round = 0; round < FORMS_MAX; round += 1) {
    const form = await nextForm(drive, { object, seen, isFirst: round === 0 });
    if (form === undefined) break;
    seen.add(form.entry);
    reports.push(
      await report(drive, { kind: "snap-kit", trigger: `${form.action}: ${form.label}` }, async () => {
        const { element, body, entry, action } = form;
        const context = { entry_id: entry, parent_core_object_id: object };
        const request = { snapIn: drive.snapIn, action, element, body, context, user: drive.crm.user };
        return outcomeOf(await call(drive.connection, "/v1/snap-kit/actions", { body: request }));
      }),
    );
  }
  return reports;
}

/** The form may be shown by an event that the package scheduled for itself: that is waited for. */
async function nextForm(
  drive: Drive,
  { object, seen, isFirst }: { readonly object: string; readonly seen: ReadonlySet<string>; readonly isFirst: boolean },
): Promise<ShownForm | undefined> {
  const hasFlow = drive.manifest.eventSources.organization.some(({ type }) => type === "flow-events");
  const deadlineMs = performance.now() + (isFirst || !hasFlow ? 0 : FORM_WAIT_MS);
  for (;;) {
    const found = formsOf(await drive.crm.timeline(object)).find(({ entry }) => !seen.has(entry));
    if (found !== undefined || performance.now() >= deadlineMs) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Actions that no form of the package's own showed: the element is one that the function is written for, as far as that can be known. */
export async function driveActions(drive: Drive, submitted: readonly TriggerReport[]): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  for (const action of drive.manifest.snapKitActions) {
    if (submitted.some(({ kind, trigger }) => kind === "snap-kit" && trigger.startsWith(`${action.name}:`))) continue;
    const object = (await drive.crm.objectOf("issue")) ?? "";
    const entry = await drive.crm.create("timeline-entries", { type: "timeline_comment", object, body: "Sample" });
    for (const value of ["send", "shuffle", "cancel"])
      reports.push(
        await report(drive, { kind: "snap-kit", trigger: `${action.name}: ${value}` }, async () => {
          const content = {
            type: "content",
            elements: [{ type: "image", image_url: "https://example.com/a.gif", alt_text: "a", block_id: "a" }],
          };
          const title = { type: "plain_text", text: "Sample" };
          const body = { snaps: [{ type: "card", title, elements: [content] }] };
          const context = { entry_id: field(entry, "id"), parent_core_object_id: object };
          const element = { id: value, type: "button", value };
          const request = { snapIn: drive.snapIn, action: action.name, element, body, context, user: drive.crm.user };
          return outcomeOf(await call(drive.connection, "/v1/snap-kit/actions", { body: request }));
        }),
      );
  }
  return reports;
}

export async function driveInitializers(drive: Drive): Promise<readonly TriggerReport[]> {
  const { snapComponents, configurationHandler } = drive.manifest;
  const shown: readonly (readonly [string, { readonly [name: string]: string }])[] = [
    ...snapComponents.map(({ name }) => [`component ${name}`, { component: name }] as const),
    ...Object.keys(configurationHandler).map((scope) => [`configuration of the ${scope}`, { configuration: scope }] as const),
  ];
  const reports: TriggerReport[] = [];
  for (const [trigger, named] of shown)
    reports.push(
      await report(drive, { kind: "snap-kit", trigger }, async () => {
        await call(drive.connection, "/v1/snap-kit/initialize", { body: { snapIn: drive.snapIn, ...named, user: drive.crm.user } });
        return {};
      }),
    );
  return reports;
}

/** Each operation once with JSON and once with protobuf as the form of its result. */
export async function driveOperations(drive: Drive): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  const listed = (await call(drive.connection, "/v1/operations")) as { readonly operations: readonly Json[] };
  for (const operation of drive.manifest.operations) {
    const found = listed.operations.find((each) => field(each, "slug") === operation.slug && field(each, "origin") === "package");
    const path = `/v1/operations/${encodeURIComponent(field(found, "name") ?? operation.slug)}/execute`;
    const body = { input: await inputOf(drive, operation.inputs), userId: drive.crm.user };
    const answers: string[] = [];
    reports.push(
      await report(drive, { kind: "operation", trigger: operation.slug }, async () => {
        const { result } = (await call(drive.connection, path, { body })) as { readonly result?: Json };
        answers.push(JSON.stringify(result));
        return { failure: errorOf(result) };
      }),
      await report(drive, { kind: "operation", trigger: `${operation.slug} in protobuf` }, async () => {
        const response = await send(drive.connection, path, { body, accept: "application/x-protobuf" });
        if (!response.ok) return { wrong: `status ${response.status}` };
        const { error, output, portOutputs } = fromBinary(OperationOutputSchema, new Uint8Array(await response.arrayBuffer()));
        if (error !== undefined) return { failure: error.message };
        return { wrong: output === undefined && portOutputs.length === 0 ? `no values where JSON has ${answers[0] ?? ""}` : undefined };
      }),
    );
  }
  return reports;
}

async function inputOf(drive: Drive, fields: readonly FieldDescriptor[]): Promise<Json> {
  const input: Record<string, Json> = {};
  for (const { name, fieldType, isRequired, allowedValues, defaultValue } of fields) {
    if (!isRequired) continue;
    input[name] =
      (defaultValue as Json | undefined) ??
      allowedValues[0] ??
      (name === "id" ? await drive.crm.objectOf("ticket") : fieldType === "int" || fieldType === "double" ? 1 : "cy@example.com") ??
      null;
  }
  return input;
}

function errorOf(result: Json | undefined): string | undefined {
  if (typeof result !== "object" || result === null || !("error" in result)) return undefined;
  return field((result as { readonly error?: Json }).error, "message") ?? JSON.stringify(result);
}

export function outcomeOf(outcome: Json): Triggered {
  if (field(outcome, "status") === "succeeded") return {};
  const { error } = outcome as { readonly error?: Json };
  return { failure: `${field(error, "code") ?? ""}: ${field(error, "message") ?? ""}` };
}

export function snapInName({ snapIn }: Pick<Drive, "snapIn">): string {
  return `don:integration:plinth:devo/default:snap_in/${snapIn}`;
}
