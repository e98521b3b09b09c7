/** From whom a source takes emails. Addresses in emails are claims, nothing more: the secret is the source's own address. */
import type { EmailMessage, Envelope } from "./email-message.ts";

/** Asks the owner of a mailbox to confirm that it forwards; nothing is forwarded before. */
const CONFIRMATIONS: ReadonlySet<string> = new Set(["forwarding-noreply@google.com"]);

/** An empty list takes emails of everybody. Domains are matched as a whole, without those below them. */
export function isAllowed(config: Readonly<Record<string, unknown>>, message: EmailMessage, envelope: Envelope | null): boolean {
  const emails = namesIn(config, "emails");
  const domains = namesIn(config, "domains");
  if (emails.size === 0 && domains.size === 0) return true;
  const senders = [message.from, ...message.forwardedBy, envelope?.from ?? ""].map((address) => address.toLowerCase());
  return senders.some(
    (address) =>
      emails.has(address) ||
      CONFIRMATIONS.has(address) ||
      (address.includes("@") && domains.has(address.slice(address.lastIndexOf("@") + 1))),
  );
}

function namesIn(config: Readonly<Record<string, unknown>>, kind: "emails" | "domains"): ReadonlySet<string> {
  const allowlist = config["allowlist"];
  if (typeof allowlist !== "object" || allowlist === null || !Object.hasOwn(allowlist, kind)) return new Set();
  const names: unknown = Reflect.get(allowlist, kind);
  return new Set(Array.isArray(names) ? names.filter((name) => typeof name === "string").map((name) => name.toLowerCase()) : []);
}
