/** Requests that the senders of known webhooks make, with right signatures and with forged ones. */
import { createHmac } from "node:crypto";
import type { EventSourceSpec } from "@plinth/core/manifest/manifest.ts";
import { textOr } from "./crm.ts";

export interface WebhookRequest {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The event types that come of it; empty: it is refused, or answered at once. */
  readonly eventType: string | undefined;
  readonly status: number;
  /** Text that the answer must hold. */
  readonly answer?: string;
}

export interface WebhookFacts {
  readonly eventTypes: readonly string[];
  /** An object of the CRM that events may be about. */
  readonly object: string;
  readonly nowMs: number;
  /** Secret of every keyring. */
  readonly secret: string;
}

const JSON_TYPE = { "content-type": "application/json" };

/** By what the policy looks at. */
export function webhookRequests(source: EventSourceSpec, facts: WebhookFacts): readonly WebhookRequest[] {
  const policy = textOr(source.config["policy"], "");
  if (policy.includes("X-Hub-Signature-256")) return github(source, facts);
  if (policy.includes("url_verification")) return slack(facts);
  const body = JSON.stringify({ work_created: facts.object, body: "Something happened outside." });
  return [{ name: "an event", headers: JSON_TYPE, body, eventType: facts.eventTypes[0], status: 200 }];
}

function github(source: EventSourceSpec, { eventTypes }: WebhookFacts): readonly WebhookRequest[] {
  const parameters = source.config["parameters"] as Readonly<Record<string, unknown>>;
  const body = JSON.stringify({ ref: "refs/heads/main", repository: { full_name: "a/b" }, commits: [{ id: "1", message: "Repair" }] });
  const signed = (secret: string) => ({ ...JSON_TYPE, "x-hub-signature-256": `sha256=${hmac(secret, body)}` });
  const secret = textOr(parameters["secret"], "");
  return [
    { name: "a signed push", headers: signed(secret), body, eventType: eventTypes[0], status: 200 },
    { name: "a forged push", headers: signed("another"), body, eventType: undefined, status: 401 },
    { name: "a push without a signature", headers: JSON_TYPE, body, eventType: undefined, status: 401 },
  ];
}

function slack({ nowMs, secret }: WebhookFacts): readonly WebhookRequest[] {
  const challenge = JSON.stringify({ type: "url_verification", challenge: "prove-it" });
  const message = JSON.stringify({
    type: "event_callback",
    team_id: "T1",
    event_id: "Ev1",
    event: { type: "app_mention", user: "U1", channel: "C1", text: "<@B1> Hello", ts: "1.0", event_ts: "1.0" },
  });
  const interaction = `payload=${encodeURIComponent(JSON.stringify({ type: "block_actions", user: { id: "U1" }, actions: [] }))}`;
  const signed = (body: string, key: string) => {
    const at = String(Math.floor(nowMs / 1000));
    return { "x-slack-request-timestamp": at, "x-slack-signature": `v0=${hmac(key, `v0:${at}:${body}`)}` };
  };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const [messages, interactions] = ["custom:slack-message", "custom:slack-interactivity"];
  return [
    { name: "a challenge", headers: JSON_TYPE, body: challenge, eventType: undefined, status: 200, answer: "prove-it" },
    { name: "a signed message", headers: { ...JSON_TYPE, ...signed(message, secret) }, body: message, eventType: messages, status: 200 },
    { name: "a forged message", headers: { ...JSON_TYPE, ...signed(message, "x") }, body: message, eventType: messages, status: 200 },
    {
      name: "a signed click",
      headers: { ...form, ...signed(interaction, secret) },
      body: interaction,
      eventType: interactions,
      status: 200,
    },
  ];
}

function hmac(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex");
}
