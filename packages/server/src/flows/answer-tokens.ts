/**
 * Tokens that answer a step of a run. A token says where it belongs, so that whoever has it needs nothing else, and what is wrong with
 * one can be told of its run; the rest of it is a secret.
 *
 * T1 The store has digests of tokens, and seeds: those that are shown again follow from their seed and a key of the host, which the
 *    store does not have. Others are random and told once.
 * T2 A seed names its key. Where the host has that key no more, the token cannot be shown again; who has it may still answer.
 */
import { createHash } from "node:crypto";
import { must } from "@plinth/core/assert.ts";
import type { Scope } from "../database/database.ts";
import { isInvocationId } from "../engine/invocation-ids.ts";
import type { KeyRing } from "../keyrings/encryption.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface RunPlace {
  readonly scope: Scope;
  readonly run: string;
}

/** A token that was made now (T1). */
export interface SeededToken {
  readonly seed: string;
  readonly token: string;
}

const PREFIX = "pa_";
const FORM = /^pa_([A-Za-z0-9_-]{8,400})\.([A-Za-z0-9_-]{32})$/;
const PLACE = /^([^/]{1,100})\/([^/]{1,100})\/([0-9a-f]{32})$/;
const SECRET_BYTES = 24;
const PURPOSE = "answer of a flow";

export class AnswerTokens {
  readonly #keys: Pick<KeyRing, "newest" | "mac">;
  readonly #runtime: Pick<Runtime, "randomBytes">;

  constructor(keys: Pick<KeyRing, "newest" | "mac">, runtime: Pick<Runtime, "randomBytes">) {
    this.#keys = keys;
    this.#runtime = runtime;
  }

  make(place: RunPlace): SeededToken {
    const keyId = this.#keys.newest;
    const nonce = Buffer.from(this.#runtime.randomBytes(SECRET_BYTES)).toString("base64url");
    const seed = `${keyId}.${nonce}`;
    return { seed, token: must(this.of(place, seed), "the newest key is there") };
  }

  /** Null where the key of the seed is gone (T2). */
  of(place: RunPlace, seed: string): string | null {
    const [keyId = ""] = seed.split(".", 1);
    const secret = this.#keys.mac(keyId, PURPOSE, `${placeText(place)} ${seed}`);
    return secret === null ? null : tokenOf(place, secret.subarray(0, SECRET_BYTES));
  }
}

/** A random one. */
export function newAnswerToken(place: RunPlace, runtime: Pick<Runtime, "randomBytes">): string {
  return tokenOf(place, runtime.randomBytes(SECRET_BYTES));
}

function tokenOf(place: RunPlace, secret: Uint8Array): string {
  return `${PREFIX}${Buffer.from(placeText(place)).toString("base64url")}.${Buffer.from(secret).toString("base64url")}`;
}

function placeText({ scope, run }: RunPlace): string {
  return `${scope.tenant}/${scope.branch}/${run}`;
}

/** Where a token says that it belongs. Hostile. */
export function placeOfAnswer(token: string): RunPlace | undefined {
  const place = FORM.exec(token)?.[1];
  const match = place === undefined ? null : PLACE.exec(Buffer.from(place, "base64url").toString("utf8"));
  const [, tenant, branch, run] = match ?? [];
  if (tenant === undefined || branch === undefined || run === undefined || !isInvocationId(run)) return undefined;
  return { scope: { tenant, branch }, run };
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
