/**
 * Calls out of the guest that wait for an answer: of the host, of the runner's local operations, and of
 * timers. Each kind has ids of its own, which count from 0 within the call.
 */
import type { HostCallFailure } from "@plinth/core/protocol/runner-protocol.ts";
import { POST } from "../wire.ts";
import { emptyTable, jsonParse, NativeError, PromiseConstructor } from "./realm.ts";
import { session } from "./session.ts";

interface Waiting {
  resolve(text: string): void;
  reject(error: Error): void;
}

let hostCalls = emptyTable<Waiting>();
let localCalls = emptyTable<Waiting>();
let timers = emptyTable<() => void>();
let nextHostCall = 0;
let nextLocalCall = 0;
let nextTimer = 1;
let waiting = 0;
let timersWaiting = 0;

/** Forgets what the call before left waiting: nothing answers it any more. */
export function renewHostCalls(): void {
  hostCalls = emptyTable();
  localCalls = emptyTable();
  timers = emptyTable();
  nextHostCall = nextLocalCall = waiting = timersWaiting = 0;
  nextTimer = 1;
}

export function hostCall(op: string, argText: string): Promise<string> {
  const id = nextHostCall++;
  return wait(hostCalls, id, POST.call, op, argText);
}

export function localCall(op: string, argText: string): Promise<string> {
  const id = nextLocalCall++;
  return wait(localCalls, id, POST.local, op, argText);
}

function wait(table: Record<string | number, Waiting>, id: number, code: number, op: string, argText: string): Promise<string> {
  return new PromiseConstructor((resolve, reject) => {
    if (session.phase !== "execute") throw new NativeError("Functions of the host can be called only while a function runs.");
    const max = session.settings.pendingHostCalls;
    if (waiting >= max)
      throw new NativeError(
        `Too many calls wait for an answer at the same time (maximum ${max}). Please await some before you start more.`,
      );
    waiting++;
    table[id] = { resolve, reject };
    session.post(code, id, `${op}`, `${argText}`, "");
  });
}

export function settleHostCall(id: number, text: string): void {
  take(hostCalls, id)?.resolve(text);
}

export function failHostCall(id: number, failureText: string): void {
  const failure = jsonParse(failureText) as HostCallFailure;
  const error: Error & { data?: unknown } = new NativeError(failure.message);
  // The data of a ConvexError that a called function threw; the convex package makes one again.
  if (failure.dataText !== undefined) error.data = jsonParse(failure.dataText);
  take(hostCalls, id)?.reject(error);
}

export function settleLocalCall(id: number, text: string): void {
  take(localCalls, id)?.resolve(text);
}

export function failLocalCall(id: number, message: string): void {
  take(localCalls, id)?.reject(new NativeError(message));
}

function take(table: Record<string | number, Waiting>, id: number): Waiting | undefined {
  const entry = table[id];
  if (entry === undefined) return undefined;
  delete table[id];
  waiting--;
  return entry;
}

export function setTimer(ms: number, callback: () => void): number {
  const max = session.settings.timers;
  if (timersWaiting >= max) throw new NativeError(`Too many timers wait at the same time (maximum ${max}).`);
  timersWaiting++;
  const id = nextTimer++;
  timers[id] = callback;
  session.post(POST.setTimer, id, `${ms}`, "", "");
  return id;
}

export function clearTimer(id: number): void {
  if (timers[id] === undefined) return;
  delete timers[id];
  timersWaiting--;
  session.post(POST.clearTimer, id, "", "", "");
}

export function fireTimer(id: number): void {
  const callback = timers[id];
  if (callback === undefined) return;
  delete timers[id];
  timersWaiting--;
  callback();
}
