/** Events of every kind of source, each by its real trigger. */
import type { AutomationSpec, EventSourceSpec, InstallScope } from "@plinth/core/manifest/manifest.ts";
import { call, type Json } from "../../../packages/cli/src/client.ts";
import { placeholderFor } from "../placeholders.ts";
import { text, textOr } from "./crm.ts";
import { functionPath, notApplicable, report, SECRET, type Drive, type Triggered } from "./drive.ts";
import type { TriggerReport } from "./trigger-report.ts";
import { webhookRequests } from "./webhook-requests.ts";

const EVENT_TIMEOUT_MS = 60_000;
/** How long nothing has to come for it to count as nothing. */
const QUIET_MS = 1500;
/** The longest interval of timers that packages have is an hour at most. */
const SKIPPED_MS = 61 * 60_000;

interface Listening {
  readonly automation: AutomationSpec;
  readonly source: EventSourceSpec;
}

export async function driveSources(drive: Drive): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  for (const { automation, source, scope } of listeningOf(drive)) {
    if (source === undefined) {
      reports.push(notApplicable("object event", automation.name, `its source '${automation.source}' is of a type that is no more`));
      continue;
    }
    const listening = { automation, source };
    switch (source.type) {
      case "devrev-webhook":
        reports.push(...(scope === "user" ? await ofUsers(drive, listening) : await ofObjects(drive, listening)));
        break;
      case "flow-custom-webhook":
        reports.push(...(await ofWebhook(drive, listening)));
        break;
      case "flow-events":
        reports.push(...(await ofFlow(drive, listening)));
        break;
      case "email-forward":
        reports.push(await ofEmail(drive, listening));
        break;
      case "timer-events":
        break;
    }
  }
  return reports;
}

/** After everything else, as the host's clock is ahead from then on. */
export async function driveTimers(drive: Drive): Promise<readonly TriggerReport[]> {
  const timers = listeningOf(drive).flatMap(({ automation, source }) => (source?.type === "timer-events" ? [{ automation, source }] : []));
  if (timers.length === 0) return [];
  const reports: TriggerReport[] = [];
  for (const { automation, source } of timers) {
    const due = textOr(source.config["cron"], `every ${JSON.stringify(source.config["interval_seconds"])} s`);
    reports.push(
      await report(drive, { kind: "timer", trigger: `${automation.name} (${due})` }, async () => {
        await drive.skipAhead(SKIPPED_MS);
        // What the host counts has begun anew with it.
        return await ranAfter(drive, automation, 0);
      }),
    );
  }
  return reports;
}

function listeningOf({ manifest }: Drive) {
  const sources = (["organization", "user"] as const).flatMap((scope: InstallScope) =>
    manifest.eventSources[scope].map((source) => ({ scope, source })),
  );
  return manifest.automations.map((automation) => {
    const found = sources.find(({ source }) => source.name === automation.source);
    return { automation, source: found?.source, scope: found?.scope };
  });
}

async function ofObjects(drive: Drive, { automation }: Listening): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  for (const type of automation.eventTypes) {
    const changes = await changesFor(drive, type);
    if (changes.length === 0)
      reports.push(notApplicable("object event", `${automation.name}: ${type}`, `the CRM has nothing that ${type} tells of`));
    for (const { name, make } of changes)
      reports.push(
        await report(drive, { kind: "object event", trigger: `${automation.name}: ${type}, ${name}` }, () => runs(drive, automation, make)),
      );
  }
  return reports;
}

interface Change {
  readonly name: string;
  readonly make: () => Promise<unknown>;
}

/** Changes of the CRM that are events of the type. What they need is there before them. */
async function changesFor({ crm }: Drive, type: string): Promise<readonly Change[]> {
  const { create, user, otherUser, ids } = crm;
  const reporter = ids["revu"] ?? "";
  const work = { title: "Sample", body: "It is broken.", applies_to_part: ids["product"], owned_by: [user], reported_by: [reporter] };
  switch (type) {
    case "work_created":
      return [
        { name: "an issue", make: () => create("works", { type: "issue", ...work }) },
        { name: "a ticket", make: () => create("works", { type: "ticket", ...work }) },
      ];
    case "work_updated": {
      const ticket = text((await create("works", { type: "ticket", ...work }))["id"]);
      const issue = text((await create("works", { type: "issue", ...work, state: "open" }))["id"]);
      return [
        {
          name: "another stage of a ticket",
          make: () => crm.call("works.update", { id: ticket, stage: { name: "awaiting_product_assist" } }),
        },
        {
          name: "a ticket is resolved",
          make: () => crm.call("works.update", { id: ticket, stage: { name: "resolved" }, state: "closed" }),
        },
        { name: "an issue is closed", make: () => crm.call("works.update", { id: issue, state: "closed", stage: { name: "completed" } }) },
        { name: "another owner", make: () => crm.call("works.update", { id: issue, owned_by: { set: [otherUser] } }) },
      ];
    }
    case "timeline_entry_created":
      return [
        { name: "a comment", make: () => create("timeline-entries", { type: "timeline_comment", object: ids["product"], body: "Hello" }) },
      ];
    case "conversation_created":
      return [{ name: "a conversation", make: () => create("conversations", { type: "support", title: "Sample" }) }];
    case "conversation_updated": {
      const conversation = text(
        (await create("conversations", { type: "support", title: "Sample", members: [reporter], state: "open" }))["id"],
      );
      const closed = { id: conversation, stage: { name: "resolved" }, state: "closed", status: "closed" };
      return [{ name: "it is resolved", make: () => crm.call("conversations.update", closed) }];
    }
    case "account_created":
      return [{ name: "an account", make: () => create("accounts", { display_name: "Another" }) }];
    default:
      return [];
  }
}

/** One user sets the package up; the filter lets events through that are theirs, and keeps those of others. */
async function ofUsers(drive: Drive, { automation, source }: Listening): Promise<readonly TriggerReport[]> {
  const { crm, connection, snapIn, manifest } = drive;
  const inputs = Object.fromEntries(manifest.inputs.user.map((each) => [each.name, placeholderFor(each)])) as Json;
  await call(connection, `/v1/snap-ins/${snapIn}/users`, { body: { user: crm.user, inputs } });
  const work = (owner: string) => ({ type: "issue", title: "Sample", applies_to_part: crm.ids["product"], owned_by: [owner] });
  const theirs = text((await crm.create("works", work(crm.otherUser)))["id"]);
  const changes: readonly (Change & { readonly comes: boolean; readonly type: string })[] = [
    { type: "work_created", name: "of the user", comes: true, make: () => crm.create("works", work(crm.user)) },
    { type: "work_created", name: "of another user", comes: false, make: () => crm.create("works", work(crm.otherUser)) },
    {
      type: "work_updated",
      name: "to the user",
      comes: true,
      make: () => crm.call("works.update", { id: theirs, owned_by: { set: [crm.user] } }),
    },
    {
      type: "work_updated",
      name: "away from the user",
      comes: false,
      make: () => crm.call("works.update", { id: theirs, owned_by: { set: [crm.otherUser] } }),
    },
  ];
  const reports: TriggerReport[] = [];
  for (const { type, name, comes, make } of changes.filter((each) => automation.eventTypes.includes(each.type))) {
    const filtered = source.filterJq === null ? "" : comes ? ", which the filter lets through" : ", which the filter keeps";
    const pull = comes || source.filterJq === null ? () => runs(drive, automation, make) : () => staysAway(drive, automation, make);
    reports.push(await report(drive, { kind: "user event", trigger: `${automation.name}: ${type} ${name}${filtered}` }, pull));
  }
  return reports;
}

async function ofWebhook(drive: Drive, { automation, source }: Listening): Promise<readonly TriggerReport[]> {
  const url = await triggerUrlOf(drive, source);
  const facts = { eventTypes: automation.eventTypes, object: (await drive.crm.objectOf("issue")) ?? "", nowMs: Date.now(), secret: SECRET };
  const reports: TriggerReport[] = [];
  for (const request of webhookRequests(source, facts)) {
    if (request.eventType !== undefined && !automation.eventTypes.includes(request.eventType)) continue;
    const { headers, body, status, eventType } = request;
    const send = async (): Promise<Triggered> => {
      const response = await fetch(url, { method: "POST", headers, body });
      const answer = await response.text();
      if (response.status !== status) return { wrong: `answered ${response.status} in place of ${status}: ${answer}` };
      if (request.answer !== undefined && !answer.includes(request.answer)) return { wrong: `answered ${answer}` };
      return {};
    };
    const pull = eventType === undefined ? () => staysAway(drive, automation, send) : () => runs(drive, automation, send);
    reports.push(await report(drive, { kind: "webhook", trigger: `${automation.name}: ${request.name}` }, pull));
  }
  return reports;
}

async function ofFlow(drive: Drive, { automation, source }: Listening): Promise<readonly TriggerReport[]> {
  const reports: TriggerReport[] = [];
  for (const type of automation.eventTypes) {
    const body = { snapIn: drive.snapIn, source: source.name, type: type.replace(/^custom:/, ""), payload: {} };
    reports.push(
      await report(drive, { kind: "flow event", trigger: `${automation.name}: ${type}` }, () =>
        runs(drive, automation, () => call(drive.connection, "/v1/events", { body })),
      ),
    );
  }
  return reports;
}

async function ofEmail(drive: Drive, { automation, source }: Listening): Promise<TriggerReport> {
  const url = await triggerUrlOf(drive, source);
  const email =
    "From: Cy <cy@example.com>\r\nTo: in@example.com\r\nSubject: Sample\r\nMessage-ID: <1@example.com>\r\n\r\nIt is broken.\r\n";
  return await report(drive, { kind: "email", trigger: automation.name }, () =>
    runs(drive, automation, () => fetch(url, { method: "POST", headers: { "content-type": "message/rfc822" }, body: email })),
  );
}

async function triggerUrlOf({ connection, snapIn }: Drive, source: EventSourceSpec): Promise<string> {
  const { eventSources } = (await call(connection, `/v1/snap-ins/${snapIn}`)) as {
    readonly eventSources: readonly { readonly name: string; readonly triggerUrl: string | null }[];
  };
  return eventSources.find(({ name }) => name === source.name)?.triggerUrl ?? "";
}

async function runs(drive: Drive, automation: AutomationSpec, make: () => Promise<unknown>): Promise<Triggered> {
  const before = await drive.observer.ended(functionPath(drive, automation.function));
  const made = await make();
  if (isTriggered(made)) return made;
  return await ranAfter(drive, automation, before);
}

async function ranAfter({ observer, ...drive }: Drive, automation: AutomationSpec, before: number): Promise<Triggered> {
  const path = functionPath(drive, automation.function);
  const ran = await observer.waitFor(path, { count: before + 1, timeoutMs: EVENT_TIMEOUT_MS });
  return ran ? {} : { wrong: `${automation.function} was not called within ${EVENT_TIMEOUT_MS / 1000} s` };
}

async function staysAway(drive: Drive, automation: AutomationSpec, make: () => Promise<unknown>): Promise<Triggered> {
  const path = functionPath(drive, automation.function);
  const before = await drive.observer.ended(path);
  const made = await make();
  if (isTriggered(made)) return made;
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  await drive.observer.quiet();
  return (await drive.observer.ended(path)) === before ? {} : { wrong: `${automation.function} was called` };
}

function isTriggered(made: unknown): made is Triggered {
  return typeof made === "object" && made !== null && "wrong" in made;
}
