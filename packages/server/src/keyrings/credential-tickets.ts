/**
 * Credentials on their way to functions that check or refresh them. A call carries a ticket; what the ticket stands for lies in
 * memory until the check has ended, so that no record, queue or log has the credential, and what a refresh answers is kept nowhere
 * but in the keyring.
 */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** A credential as the event of a function has it. */
export interface OpenCredential {
  readonly payload: unknown;
  readonly redact: (text: string) => string;
  readonly takeResult: (valueText: string) => string;
}

export interface Ticket {
  readonly id: string;
  /** What the function answered; undefined as long as it has not. */
  result(): string | undefined;
  close(): void;
}

/** Shorter texts occur in everything; taking them out would only show where they are. */
const REDACTED_CHARS_MIN = 4;

export class CredentialTickets {
  readonly #runtime: Pick<Runtime, "randomBytes">;
  readonly #open = new Map<string, OpenCredential>();

  constructor(options: { readonly runtime: Pick<Runtime, "randomBytes"> }) {
    this.#runtime = options.runtime;
  }

  /** `secrets` are the texts that no log or error may show. */
  make(payload: unknown, secrets: readonly string[]): Ticket {
    const max = limit("credentialTicketsMax");
    if (this.#open.size >= max) throw plinthError("KeyringUnavailable", { detail: `${max} checks of keyrings are under way` });
    const id = Buffer.from(this.#runtime.randomBytes(16)).toString("hex");
    let result: string | undefined;
    const hidden = secrets.filter((secret) => secret.length >= REDACTED_CHARS_MIN).toSorted((a, b) => b.length - a.length);
    this.#open.set(id, {
      payload,
      redact: (text) => hidden.reduce((shown, secret) => shown.replaceAll(secret, "[credential]"), text),
      takeResult: (valueText) => {
        result = valueText;
        return '"[kept in the keyring]"';
      },
    });
    return { id, result: () => result, close: () => void this.#open.delete(id) };
  }

  open(id: string): OpenCredential | undefined {
    return this.#open.get(id);
  }
}
