/**
 * Emails to event sources of the type `email-forward`, however they come.
 *
 * M1 An email is acknowledged after its event is committed, and its files are durable before.
 * M2 The same bytes for the same source are one event, because senders repeat what they heard no answer to.
 * M3 Nothing of an email is read outside of a jail.
 */
import { createHash } from "node:crypto";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { Events } from "../events/events.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { isAllowed } from "./allowlist.ts";
import type { InboundArtefactRow } from "./artefact-records.ts";
import type { InboundArtefacts } from "./artefacts.ts";
import { emailPayload, parseEmailMessage, type EmailMessage, type Envelope } from "./email-message.ts";
import { checkOpen, findOpenSource, type OpenSource, type SourceParts } from "./open-source.ts";
import type { SourceGate } from "./source-gate.ts";

const TYPE = "email-forward";

export interface EmailParts extends SourceParts {
  readonly events: Pick<Events, "publish">;
  readonly tools: Pick<JailTools, "run">;
  readonly artefacts: InboundArtefacts;
  readonly gate: SourceGate;
}

export class Emails {
  readonly #parts: EmailParts;

  constructor(parts: EmailParts) {
    this.#parts = parts;
  }

  /** The tenant whose address it is. Rejects with NotFound when it takes no emails. */
  async check(token: string): Promise<string> {
    return (await findOpenSource(this.#parts, token, TYPE)).scope.tenant;
  }

  /** Rejects with NotFound, EmailRefused, or what says that there is too much to do. */
  async take(
    token: string,
    email: { readonly raw: Buffer; readonly envelope: Envelope | null; readonly causeDepth?: number },
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const open = await findOpenSource(this.#parts, token, TYPE);
    return await this.#parts.gate.run(open.source.id, async () => {
      const message = await this.#read(open, email.raw);
      if (!isAllowed(open.source.config, message, email.envelope))
        throw plinthError("EmailRefused", { detail: "its sender is not on the list of the event source" });
      return await this.#publish(open, message, email);
    });
  }

  /** M3 */
  async #read({ scope }: OpenSource, raw: Buffer): Promise<EmailMessage> {
    try {
      return parseEmailMessage(await this.#parts.tools.run(scope.tenant, "mime", { base64: raw.toString("base64") }));
    } catch (error) {
      if (!(error instanceof PlinthError) || error.spec.fault === "platform" || error.code === "EmailRefused") throw error;
      throw plinthError("EmailRefused", { detail: "it cannot be read" }, { cause: error });
    }
  }

  /** M1, M2 */
  async #publish(
    { scope, source }: OpenSource,
    message: EmailMessage,
    { raw, envelope, causeDepth }: { readonly raw: Buffer; readonly envelope: Envelope | null; readonly causeDepth?: number },
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const { database, events, artefacts } = this.#parts;
    const rawRow = await artefacts.put(scope, { snapInId: source.snapInId, name: "email.eml", type: "message/rfc822", bytes: raw });
    const files: InboundArtefactRow[] = [];
    for (const { name, type, base64 } of message.attachments)
      files.push(await artefacts.put(scope, { snapInId: source.snapInId, name, type, bytes: Buffer.from(base64, "base64") }));
    const payload = emailPayload(message, { raw: rawRow.id, attachments: files.map(({ id }) => id) }, envelope);
    const key = `email ${createHash("sha256").update(raw).digest("hex")}`;
    return await database.update(scope, async (transaction) => {
      await checkOpen(transaction.records, source);
      const depth = causeDepth === undefined ? {} : { causeDepth };
      const event = { type: "email.receive", sourceId: source.id, payload, syncId: null, key, ...depth };
      const published = await events.publish(transaction, event);
      if (published.isNew) await artefacts.keep(transaction.records, [rawRow, ...files]);
      return published;
    });
  }
}
