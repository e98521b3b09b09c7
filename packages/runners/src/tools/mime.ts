/** The MIME tool: takes an email apart. Sizes and counts are bounded before and after, because a small text can name many parts. */
import PostalMime from "postal-mime";
import type { Address, Attachment, Email, Mailbox } from "postal-mime";
import type { ToolAnswer } from "./answers.ts";

const ATTACHMENTS_MAX = 100;
const ADDRESSES_MAX = 1000;
const BODY_CHARS_MAX = 2 * 1024 * 1024;
const HEADER_CHARS_MAX = 32 * 1024;
const NESTING_MAX = 50;
const FORWARDING = ["x-forwarded-for", "delivered-to", "resent-from", "sender"];
const FORWARDERS_MAX = 10;
const FORWARDER_CHARS_MAX = 500;
const ADDRESS = /[^\s<>,"]+@[^\s<>,"]+/;
const HEADERS_BYTES_MAX = 256 * 1024;

export async function readMime({ base64 }: { readonly base64: string }): Promise<ToolAnswer> {
  let email: Email;
  try {
    email = await PostalMime.parse(Buffer.from(base64, "base64"), {
      attachmentEncoding: "base64",
      forceRfc822Attachments: true,
      maxNestingDepth: NESTING_MAX,
      maxHeadersSize: HEADERS_BYTES_MAX,
    });
  } catch (error) {
    return { failed: error instanceof Error ? error.message.slice(0, 500) : "the message cannot be read" };
  }
  if (email.attachments.length > ATTACHMENTS_MAX)
    return { failed: `the message has ${email.attachments.length} attachments and may have ${ATTACHMENTS_MAX}` };
  return { value: { message: messageOf(email) } };
}

function messageOf(email: Email) {
  return {
    from: addressesOf(email.from === undefined ? undefined : [email.from])[0] ?? null,
    to: addressesOf(email.to),
    cc: addressesOf(email.cc),
    bcc: addressesOf(email.bcc),
    replyTo: addressesOf(email.replyTo),
    forwardedBy: FORWARDING.flatMap((name) => forwardersIn(email, name)),
    subject: header(email.subject),
    messageId: header(email.messageId),
    inReplyTo: header(email.inReplyTo),
    references: header(email.references),
    date: header(email.date),
    text: (email.text ?? "").toWellFormed().slice(0, BODY_CHARS_MAX),
    html: (email.html ?? "").toWellFormed().slice(0, BODY_CHARS_MAX),
    autoSubmitted: header(email.headers.find(({ key }) => key === "auto-submitted")?.value),
    attachments: email.attachments.map(attachmentOf),
  };
}

/** The first address of each of these headers: that of the mailbox that passed the email on. */
function forwardersIn(email: Email, name: string): readonly { readonly name: string; readonly email: string }[] {
  return email.headers
    .filter(({ key }) => key === name)
    .slice(0, FORWARDERS_MAX)
    .flatMap(({ value }) => ADDRESS.exec(value.slice(0, FORWARDER_CHARS_MAX)) ?? [])
    .map((address) => ({ name: "", email: header(address) }));
}

function header(text: string | undefined): string {
  return (text ?? "").toWellFormed().slice(0, HEADER_CHARS_MAX);
}

/** Members of groups stand beside the others. */
function addressesOf(addresses: readonly Address[] | undefined): readonly { readonly name: string; readonly email: string }[] {
  const boxes = (addresses ?? []).flatMap((address): readonly Mailbox[] => (address.group === undefined ? [address] : address.group));
  return boxes.slice(0, ADDRESSES_MAX).map(({ name, address }) => ({ name: header(name), email: header(address) }));
}

function attachmentOf(attachment: Attachment) {
  return {
    name: header(attachment.filename ?? ""),
    type: header(attachment.mimeType),
    inline: attachment.disposition === "inline" || attachment.related === true,
    contentId: header(attachment.contentId),
    base64: typeof attachment.content === "string" ? attachment.content : "",
  };
}
