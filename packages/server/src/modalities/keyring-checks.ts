/**
 * Checks of keyrings as calls of the engine, so that they have records, limits and traces: the host's own requests as native actions
 * (`$operation/keyring_verify`, `$operation/keyring_refresh`), and functions that a keyring type names as handlers.
 *
 * R1 No secret is in a request, a record or a log: calls carry tickets.
 * R2 The host's requests of a check are sent once, whatever becomes of the call.
 * R3 A refresh that waits for a place behind those who wait for the refresh would wait forever: after `keyringCheckWaitMs` the host
 *    does its own requests without a place.
 */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { Engine, InvocationOutcome } from "../engine/invocation.ts";
import { nativePath, type NativeCode, type NativeCodes } from "../engine/native-code.ts";
import type { CheckAbout, CheckFetch, CheckRunner } from "../keyrings/check-runner.ts";
import type { CredentialTickets } from "../keyrings/credential-tickets.ts";
import { own } from "../keyrings/parse-answers.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Modality } from "./modality.ts";
import { requestOf } from "./modality-context.ts";

export interface KeyringChecksOptions {
  /** Known when the engine is made; it in turn asks for `natives`. */
  readonly engine: () => Pick<Engine, "invoke">;
  readonly runtime: Runtime;
  readonly credentials: CredentialTickets;
}

/** A check of the host's own that waits for its place. */
interface Job {
  readonly tenant: string;
  /** Does the work; the second time it gives what came of the first. */
  readonly start: (fetch: CheckFetch) => Promise<unknown>;
}

/** What a function checks; its credential is behind the ticket. */
interface CheckTrigger {
  readonly about: CheckAbout;
  readonly function: string;
  readonly ticket: string;
}

const ACTOR = { kind: "function", scopes: [] } as const;

export const KEYRING_CHECKS: Pick<Modality<CheckTrigger, unknown>, "name"> = { name: "keyring" };

export class KeyringChecks implements CheckRunner {
  readonly natives: NativeCodes;
  readonly #options: KeyringChecksOptions;
  readonly #jobs = new Map<string, Job>();

  constructor(options: KeyringChecksOptions) {
    this.#options = options;
    const codes = new Map([
      [nativePath("keyring_verify"), this.#native()],
      [nativePath("keyring_refresh"), this.#native()],
    ]);
    this.natives = { resolve: (_scope, path) => Promise.resolve(codes.get(path)) };
  }

  async run<T>(scope: Scope, about: CheckAbout, work: (fetch: CheckFetch) => Promise<T>): Promise<T> {
    const { runtime, engine } = this.#options;
    const id = Buffer.from(runtime.randomBytes(16)).toString("hex");
    const done = Promise.withResolvers<T>();
    let running: Promise<T> | undefined;
    const start = (fetch: CheckFetch): Promise<T> => {
      if (running === undefined) {
        running = work(fetch);
        running.then(done.resolve, done.reject);
      }
      return running;
    };
    this.#jobs.set(id, { tenant: scope.tenant, start });
    const cut = new AbortController();
    const timer = runtime.timer(limit("keyringCheckWaitMs"), () => {
      if (running !== undefined) return;
      void start(undefined);
      cut.abort();
    });
    const request = requestOf(scope, KEYRING_CHECKS, {
      path: nativePath(`keyring_${about.check}`),
      actor: ACTOR,
      subject: { eventType: `keyring:${about.check}`, sourceId: about.keyring },
      payload: { ticket: id, keyring: about.keyring, name: about.name, type: about.type },
      priority: "interactive",
    });
    engine()
      .invoke(request, { signal: cut.signal })
      .then(
        (outcome) => {
          if (running === undefined) done.reject(errorOf(outcome));
        },
        (error: unknown) => {
          if (running === undefined) done.reject(error);
        },
      );
    try {
      return await done.promise;
    } finally {
      timer.cancel();
      this.#jobs.delete(id);
    }
  }

  async call(
    scope: Scope,
    about: CheckAbout,
    request: { readonly function: string; readonly credential: Readonly<Record<string, unknown>>; readonly secrets: readonly string[] },
  ): Promise<unknown> {
    const { credentials, engine } = this.#options;
    const { keyring, name, type, check } = about;
    const ticket = credentials.make({ keyring: { id: keyring, name, type }, credential: request.credential }, request.secrets);
    try {
      const outcome = await engine().invoke(
        requestOf(scope, KEYRING_CHECKS, {
          path: request.function,
          actor: ACTOR,
          subject: { eventType: `keyring:${check}`, sourceId: keyring, credentialTicket: ticket.id },
          payload: {},
          priority: "interactive",
          deadlineMs: limit("keyringRequestMsMax"),
        }),
      );
      const result = ticket.result();
      if (outcome.status === "failed" || result === undefined) throw errorOf(outcome);
      return JSON.parse(result) as unknown;
    } catch (error) {
      if (error instanceof PlinthError && error.code === "KeyringUnavailable") throw error;
      const code = error instanceof PlinthError ? error.code : "InternalError";
      throw plinthError("KeyringUnavailable", { detail: `the function '${request.function}' failed (${code})` }, { cause: error });
    } finally {
      ticket.close();
    }
  }

  #native(): NativeCode {
    return {
      kind: "action",
      // A verification may be followed by a question for organisations.
      wallMs: 3 * limit("keyringRequestMsMax"),
      run: async ({ args, scope, fetch }) => {
        const ticket = own(args, "ticket");
        const job = typeof ticket === "string" ? this.#jobs.get(ticket) : undefined;
        // Whoever calls this without a check that waits has nothing to check.
        if (job === undefined || job.tenant !== scope.tenant) throw plinthError("NotFound", { what: "check of a keyring that waits" });
        await job.start(fetch);
        return "null";
      },
    };
  }
}

/** Natives of several parts: the first that knows a path. */
export function nativesOf(...all: readonly NativeCodes[]): NativeCodes {
  return {
    resolve: async (scope, path) => {
      for (const natives of all) {
        const found = await natives.resolve(scope, path);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function errorOf(outcome: InvocationOutcome): PlinthError {
  return outcome.status === "failed" ? outcome.error : plinthError("KeyringUnavailable", { detail: "the check gave no answer" });
}
