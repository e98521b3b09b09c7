/**
 * The SMTP port: takes emails for addresses of event sources, and relays nothing.
 *
 * S1 Recipients that take no emails are refused before the email is sent.
 * S2 A positive answer comes after the event of each recipient is committed; where one failed for a while, the sender tries again, and
 *    those that have it already know it again.
 * S3 Connections, those of one address, commands, recipients, sizes, silence and the bytes in memory are bounded.
 * S4 So are the emails to one tenant, by their rate, their number at a time and their bytes: they take the places of no other tenant.
 *
 * There is no TLS and no sign-in: the address is the secret. Beyond a trusted network a mail server stands in front.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { finished } from "node:stream/promises";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import { SourceGate, type GateLimits } from "../../inbound/source-gate.ts";
import { networkOf } from "../connection-bounds.ts";
import type { DoorContext } from "../door.ts";
import { registeredError } from "../error-reply.ts";

const BYTES_IN_MEMORY_MAX = limit("smtpBytesInMemoryMax");
/** By code of the error; what is not here is for later. */
const ANSWERS: Readonly<Partial<Record<PlinthError["code"], number>>> = {
  NotFound: 550,
  EmailRefused: 550,
  RequestTooLarge: 552,
  LimitExceeded: 552,
};
const LATER = 451;

export interface SmtpDoor {
  readonly port: number;
  /** Takes no new connections, and waits for emails that are being taken until `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

export interface SmtpOptions {
  readonly address: string;
  readonly port: number;
  /** Name that it answers with. */
  readonly domain: string;
  /** S4. The limits when absent. */
  readonly perTenant?: GateLimits & { readonly bytesMax: number };
}

const PER_TENANT = {
  what: "the addresses of this organisation",
  perSecond: limit("smtpEmailsPerTenantPerSecond"),
  burst: limit("smtpEmailsPerTenantBurst"),
  runningMax: limit("smtpEmailsPerTenantRunningMax"),
  bytesMax: limit("smtpBytesPerTenantMax"),
};

export async function openSmtp(context: Pick<DoorContext, "emails" | "log" | "runtime">, options: SmtpOptions): Promise<SmtpDoor> {
  const door = new Smtp(context, options);
  return await door.open(options);
}

class Smtp {
  readonly #context: Pick<DoorContext, "emails" | "log" | "runtime">;
  readonly #server: SMTPServer;
  readonly #connections = new Map<string, number>();
  readonly #timers = new Map<string, { cancel(): void }>();
  /** Refused recipients of each connection. */
  readonly #refused = new Map<string, number>();
  readonly #gate: SourceGate;
  readonly #bytesPerTenantMax: number;
  readonly #bytesOfTenants = new Map<string, number>();
  #bytes = 0;

  constructor(context: Pick<DoorContext, "emails" | "log" | "runtime">, { domain, perTenant = PER_TENANT }: SmtpOptions) {
    this.#context = context;
    const { bytesMax, ...gate } = perTenant;
    this.#gate = new SourceGate(context.runtime, gate);
    this.#bytesPerTenantMax = bytesMax;
    this.#server = new SMTPServer({ ...this.#limits(), ...this.#handlers(), name: domain, banner: "Plinth" });
    // What a client does wrong ends its connection.
    this.#server.on("error", (error: Error) => context.log.error({ err: error }, "a connection to the SMTP port failed"));
  }

  async open({ address, port }: SmtpOptions): Promise<SmtpDoor> {
    const net = await new Promise<ReturnType<SMTPServer["listen"]>>((resolve, reject) => {
      const listening = this.#server.listen(port, address, () => resolve(listening));
      listening.once("error", (error) => {
        const taken = "code" in error && error.code === "EADDRINUSE";
        reject(taken ? plinthError("PortTaken", { port, address }, { cause: error }) : error);
      });
    });
    const bound = net.address();
    return {
      port: typeof bound === "object" && bound !== null ? bound.port : port,
      close: (signal) => this.#close(signal),
    };
  }

  /** S3 */
  #limits(): SMTPServerOptions {
    return {
      size: limit("emailBytesMax"),
      maxClients: limit("smtpConnectionsMax"),
      maxRecipients: limit("smtpRecipientsMax"),
      socketTimeout: limit("smtpIdleMsMax"),
      closeTimeout: limit("smtpIdleMsMax"),
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      hideSTARTTLS: true,
      disableReverseLookup: true,
      useXClient: false,
      useXForward: false,
      useProxy: false,
      logger: false,
    };
  }

  #handlers(): SMTPServerOptions {
    return {
      onConnect: ({ id, remoteAddress }, done) => {
        const network = networkOf(remoteAddress);
        const open = (this.#connections.get(network) ?? 0) + 1;
        this.#connections.set(network, open);
        this.#timers.set(
          id,
          this.#context.runtime.timer(limit("smtpSessionMsMax"), () => this.#cut(id)),
        );
        done(open > limit("smtpConnectionsPerAddressMax") ? new Refusal(421, "4.7.0 Too many connections of this address") : null);
      },
      onClose: ({ id, remoteAddress }) => {
        this.#timers.get(id)?.cancel();
        this.#timers.delete(id);
        this.#refused.delete(id);
        const network = networkOf(remoteAddress);
        const open = (this.#connections.get(network) ?? 1) - 1;
        if (open <= 0) this.#connections.delete(network);
        else this.#connections.set(network, open);
      },
      onRcptTo: ({ address }, { id }, done) => void this.#settle(this.#checkRecipient(address, id), done),
      onData: (stream, session, done) => void this.#settle(this.#take(stream, session), done),
    };
  }

  /** S1, S4. Who tries out addresses is sent away; each of them costs a look into the store. */
  async #checkRecipient(address: string, connection: string): Promise<void> {
    let tenant: string;
    try {
      tenant = await this.#context.emails.check(tokenOf(address));
    } catch (error) {
      const refused = (this.#refused.get(connection) ?? 0) + 1;
      if (this.#timers.has(connection)) this.#refused.set(connection, refused);
      throw refused > limit("smtpRefusalsMax") ? new Refusal(421, "4.7.0 Too many recipients that take no emails") : error;
    }
    this.#gate.check(tenant);
  }

  async #settle<T>(work: Promise<T>, done: (error: Error | null, value?: T) => void): Promise<void> {
    let value: T;
    try {
      value = await work;
    } catch (error) {
      done(this.#answerTo(error));
      return;
    }
    done(null, value);
  }

  /** S4 */
  async #take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const tenants = await this.#tenantsOf(session);
    const take = [...tenants].reduce<() => Promise<string>>(
      (work, tenant) => () => this.#gate.run(tenant, work),
      () => this.#receive(stream, session, tenants),
    );
    try {
      return await take();
    } finally {
      // What is refused is read too: an answer comes behind the last byte.
      if (!stream.readableEnded && !stream.destroyed) await finished(stream.resume()).catch(() => undefined);
    }
  }

  /** Of recipients whose sources were closed meanwhile there is none. */
  async #tenantsOf({ envelope }: SMTPServerSession): Promise<ReadonlySet<string>> {
    const tenants = new Set<string>();
    for (const token of new Set(envelope.rcptTo.map(({ address }) => tokenOf(address)))) {
      const tenant = await this.#context.emails.check(token).catch(() => undefined);
      if (tenant !== undefined) tenants.add(tenant);
    }
    return tenants;
  }

  async #receive(stream: SMTPServerDataStream, session: SMTPServerSession, tenants: ReadonlySet<string>): Promise<string> {
    const held = new Held((bytes) => this.#hold(tenants, bytes));
    try {
      // All of it is read, also what is dropped: an answer comes behind the last byte.
      for await (const piece of stream as AsyncIterable<Buffer>) {
        if (stream.sizeExceeded) held.drop();
        else held.add(piece);
      }
      if (stream.sizeExceeded) throw new Refusal(552, "5.3.4 The email is too large");
      if (held.isDropped) throw new Refusal(452, "4.3.1 There is no memory for it now");
      await this.#give(held.bytes(), session);
      return "2.6.0 The email is taken";
    } finally {
      held.drop();
    }
  }

  /** S2: taken when one recipient took it and none may take it later. */
  async #give(raw: Buffer, { envelope: { mailFrom, rcptTo } }: SMTPServerSession): Promise<void> {
    const from = mailFrom === false || mailFrom.address === "" ? null : mailFrom.address;
    const envelope = { from, to: rcptTo.map(({ address }) => address) };
    const refusals: Refusal[] = [];
    const tokens = new Set(rcptTo.map(({ address }) => tokenOf(address)));
    for (const token of tokens) {
      try {
        await this.#context.emails.take(token, { raw, envelope });
      } catch (error) {
        const refusal = this.#answerTo(error);
        if (refusal.responseCode === LATER) throw refusal;
        refusals.push(refusal);
      }
    }
    const [first] = refusals;
    if (first !== undefined && refusals.length === tokens.size) throw first;
  }

  #cut(id: string): void {
    for (const connection of this.#server.connections) if (connection.id === id) connection.close();
  }

  /** False when there is no room. */
  #hold(tenants: ReadonlySet<string>, bytes: number): boolean {
    const isFull = [...tenants].some((tenant) => (this.#bytesOfTenants.get(tenant) ?? 0) + bytes > this.#bytesPerTenantMax);
    if (bytes > 0 && (isFull || this.#bytes + bytes > BYTES_IN_MEMORY_MAX)) return false;
    this.#bytes += bytes;
    for (const tenant of tenants) {
      const held = (this.#bytesOfTenants.get(tenant) ?? 0) + bytes;
      if (held === 0) this.#bytesOfTenants.delete(tenant);
      else this.#bytesOfTenants.set(tenant, held);
    }
    return true;
  }

  #answerTo(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    const registered = registeredError(this.#context, error);
    const code = ANSWERS[registered.code] ?? LATER;
    return new Refusal(code, code === LATER ? "4.3.0 Try again later" : `5.7.1 ${registered.message.replace(/[^\x20-\x7e]/g, " ")}`);
  }

  async #close(signal: AbortSignal): Promise<void> {
    const cut = () => {
      for (const connection of this.#server.connections) connection.close();
    };
    signal.addEventListener("abort", cut, { once: true });
    if (signal.aborted) cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    signal.removeEventListener("abort", cut);
  }
}

/** Mail servers may change the case of addresses; what follows a plus sign is the sender's. */
function tokenOf(address: string): string {
  const [name = ""] = address.slice(0, address.lastIndexOf("@")).split("+");
  return name.toLowerCase();
}

/** What an email takes of the memory for all of them. */
class Held {
  readonly #hold: (bytes: number) => boolean;
  readonly #pieces: Buffer[] = [];
  #size = 0;
  #dropped = false;

  constructor(hold: (bytes: number) => boolean) {
    this.#hold = hold;
  }

  get isDropped(): boolean {
    return this.#dropped;
  }

  add(piece: Buffer): void {
    if (this.#dropped) return;
    if (!this.#hold(piece.length)) {
      this.drop();
      return;
    }
    this.#size += piece.length;
    this.#pieces.push(piece);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  drop(): void {
    this.#dropped = true;
    this.#pieces.length = 0;
    this.#hold(-this.#size);
    this.#size = 0;
  }
}

/** What the client is told; the library reads the code. */
class Refusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, message: string) {
    super(message);
    this.responseCode = responseCode;
  }
}
