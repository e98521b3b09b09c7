/** An email as the tool of the jail took it apart, and the event that is made of it. What comes from the tool is hostile. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export interface EmailMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  /** Mailboxes that say that they forwarded it. */
  readonly forwardedBy: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: string;
  readonly date: string;
  readonly autoSubmitted: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly EmailAttachment[];
}

export interface EmailAttachment {
  readonly name: string;
  readonly type: string;
  readonly base64: string;
}

/** Of each text of the event: both, with quotes and escapes, have to fit into the payload of an event. */
const BODY_JSON_CHARS_MAX = limit("emailBodyCharsMax");
const HEADER_CHARS = limit("emailHeaderCharsMax");
const LIST_MAX = limit("emailAddressesMax");
const MEDIA_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;

export function parseEmailMessage(result: unknown): EmailMessage {
  const message = isObject(result) ? result["message"] : undefined;
  if (!isObject(message)) throw wrong();
  const attachments = message["attachments"];
  if (!Array.isArray(attachments) || attachments.length > limit("emailAttachmentsMax")) throw wrong();
  return {
    from: addressesIn(message, "from")[0] ?? "",
    to: addressesIn(message, "to"),
    cc: addressesIn(message, "cc"),
    bcc: addressesIn(message, "bcc"),
    replyTo: addressesIn(message, "replyTo"),
    forwardedBy: addressesIn(message, "forwardedBy"),
    subject: header(message, "subject"),
    messageId: header(message, "messageId"),
    inReplyTo: header(message, "inReplyTo"),
    references: header(message, "references"),
    date: header(message, "date"),
    autoSubmitted: header(message, "autoSubmitted"),
    text: text(message, "text"),
    html: text(message, "html"),
    attachments: attachments.map(parseAttachment),
  };
}

export interface EmailArtefacts {
  readonly raw: string;
  readonly attachments: readonly string[];
}

/** Null as `from` of the envelope is the sender of bounces. */
export interface Envelope {
  readonly from: string | null;
  readonly to: readonly string[];
}

/** Payload of `email.receive`. */
export function emailPayload(
  message: EmailMessage,
  artefacts: EmailArtefacts,
  envelope: Envelope | null,
): Readonly<Record<string, unknown>> {
  const body = shortened(message.text);
  const html = shortened(message.html);
  const sent = Date.parse(message.date);
  return {
    emailBody: body,
    htmlBody: html,
    from: message.from === "" ? [] : [message.from],
    to: message.to,
    cc: message.cc,
    bcc: message.bcc,
    subject: message.subject,
    messageId: idsIn(message.messageId)[0] ?? "",
    inReplyToId: { stringValues: idsIn(message.inReplyTo) },
    referenceIds: { stringValues: idsIn(message.references) },
    replyTo: { stringValues: message.replyTo },
    sentOn: Number.isNaN(sent) ? null : new Date(sent).toISOString(),
    artifactIds: artefacts.attachments,
    rawBodyartifactId: artefacts.raw,
    attachments: message.attachments.map(({ name, type }, i) => ({ id: artefacts.attachments[i], name, type })),
    isTruncated: body !== message.text || html !== message.html,
    // Who answers these answers a machine, which may answer again.
    isAutomatic: (message.autoSubmitted !== "" && message.autoSubmitted.toLowerCase() !== "no") || envelope?.from === null,
    envelope,
  };
}

/** Ids without their brackets. */
function idsIn(value: string): readonly string[] {
  return value
    .split(/[\s,]+/)
    .map((id) => id.replace(/^<|>$/g, ""))
    .filter((id) => id !== "")
    .slice(-LIST_MAX);
}

/** As much of a text as its JSON has room for. */
function shortened(body: string): string {
  let cut = body.slice(0, BODY_JSON_CHARS_MAX).toWellFormed();
  while (Buffer.byteLength(JSON.stringify(cut)) > BODY_JSON_CHARS_MAX) cut = cut.slice(0, Math.floor(cut.length * 0.8)).toWellFormed();
  return cut;
}

function addressesIn(message: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = message[name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list
    .map((each) => (isObject(each) ? each["email"] : each))
    .filter((email): email is string => typeof email === "string" && email !== "" && email.length <= 320)
    .slice(0, LIST_MAX);
}

function parseAttachment(json: unknown): EmailAttachment {
  if (!isObject(json) || typeof json["base64"] !== "string") throw wrong();
  const type = header(json, "type").toLowerCase();
  return {
    name: header(json, "name").slice(0, 255),
    type: MEDIA_TYPE.test(type) ? type : "application/octet-stream",
    base64: json["base64"],
  };
}

function header(json: Readonly<Record<string, unknown>>, name: string): string {
  return text(json, name).slice(0, HEADER_CHARS).toWellFormed();
}

function text(json: Readonly<Record<string, unknown>>, name: string): string {
  const value = json[name];
  return typeof value === "string" ? value : "";
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function wrong(): Error {
  return plinthError("EmailRefused", { detail: "it cannot be read" });
}
