/** What the pool knows of its runners and of those who wait for them. */
import { limit } from "@plinth/core/limits.ts";
import type { Runner, RunnerEnd } from "./runner.ts";
import type { RunnerLease } from "./sandbox.ts";
import type { StartBreaker } from "./start-breaker.ts";

export type Lane = "transaction" | "action";

export interface Waiter {
  readonly lane: Lane;
  readonly digest: string;
  readonly contextKey: string | undefined;
  readonly resolve: (lease: OwnLease) => void;
  readonly reject: (reason: unknown) => void;
}

/** The pool's own view of a lease. */
export interface OwnLease extends RunnerLease {
  readonly runner: Runner;
}

/** A runner with what the pool knows of it. */
export interface Place {
  readonly runner: Runner;
  tenant: string | undefined;
  readonly taken: Record<Lane, number>;
  /** The next lease is its tenant's first on it. */
  fresh: boolean;
  ready: boolean;
  lastUsedMs: number;
}

export interface Tenant {
  readonly name: string;
  readonly waiting: Waiter[];
  readonly breaker: StartBreaker;
  /** After a loss of memory that could not be pinned on one call, calls run one by one until this time. */
  soloUntilMs: number;
}

export const PLACES: Readonly<Record<Lane, number>> = {
  transaction: limit("runnerTransactionPlaces"),
  action: limit("runnerActionPlaces"),
};
export function isBusy(place: Place): boolean {
  return place.taken.transaction + place.taken.action > 0;
}

export function isBetter(a: Place, b: Place, { digest, contextKey }: Pick<Waiter, "digest" | "contextKey">): boolean {
  const aLoaded = a.runner.hasVersion(digest);
  if (aLoaded !== b.runner.hasVersion(digest)) return aLoaded;
  const aKeeps = a.runner.mayKeep(contextKey);
  if (aKeeps !== b.runner.mayKeep(contextKey)) return aKeeps;
  return a.taken.transaction + a.taken.action < b.taken.transaction + b.taken.action;
}

export function leastRecentlyUsed(places: readonly Place[]): Place | undefined {
  return places.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)[0];
}

/** Ends that say something is wrong with what the tenant runs. */
export function isBad(end: RunnerEnd): boolean {
  return end.kind === "crashed" || end.kind === "violation" || end.kind === "stalled" || end.kind === "stuck" || end.kind === "outOfMemory";
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
