/** Brings events of invocations to those who watch them by id. */
import { limit } from "@plinth/core/limits.ts";
import { ERRORS, plinthError } from "@plinth/core/errors.ts";
import { isErrorCode, restoreError } from "./engine-records.ts";
import { cachedUsage } from "./finalize.ts";
import type { InvocationEvent, InvocationOutcome, InvocationRecord } from "./invocation.ts";

export class EventHub {
  readonly #listeners = new Map<string, Set<(event: InvocationEvent) => void>>();

  publish(id: string, event: InvocationEvent): void {
    for (const listener of this.#listeners.get(id) ?? []) listener(event);
  }

  subscribe(id: string, listener: (event: InvocationEvent) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }
}

/** Events that wait for one reader, bounded: a reader that is too slow loses log lines and partial results, never the end. */
export class EventQueue {
  readonly #events: InvocationEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(event: InvocationEvent): void {
    const isOptional = event.type === "log" || event.type === "partial";
    if (isOptional && this.#events.length >= limit("watchEventsBufferedMax")) return;
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next event; undefined after the end. */
  async next(): Promise<InvocationEvent | undefined> {
    while (this.#events.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#events.shift();
  }
}

/** The events of a finished invocation, from its record. */
export function eventsOfRecord(record: InvocationRecord): InvocationEvent[] {
  const events: InvocationEvent[] = [
    { type: "state", state: record.state, ...(record.waitReason === undefined ? {} : { reason: record.waitReason }) },
  ];
  for (const line of record.logs) events.push({ type: "log", line });
  const outcome = outcomeOfRecord(record);
  if (outcome !== undefined) events.push({ type: "done", outcome });
  return events;
}

/** The outcome that a record tells; undefined while it has none. */
export function outcomeOfRecord(record: InvocationRecord): InvocationOutcome | undefined {
  if (record.state === "queued" || record.state === "running") return undefined;
  const about = {
    id: record.id,
    traceId: record.traceId ?? record.id,
    functionPath: record.functionPath,
    version: record.version,
    logs: record.logs,
    logsDropped: record.logsDropped,
    usage: record.usage ?? { ...cachedUsage(0), cached: false },
  };
  if (record.state === "succeeded") return { ...about, status: "succeeded", valueText: record.valueText ?? "null", ts: 0 };
  const { error } = record;
  if (error === undefined || !isErrorCode(error.code))
    return { ...about, status: "failed", error: plinthError("InternalError", { id: record.id }) };
  const restored = restoreError({
    code: error.code,
    message: error.message,
    next: error.next ?? ERRORS[error.code].next,
    ...(error.dataText === undefined ? {} : { dataText: error.dataText }),
  });
  return { ...about, status: "failed", error: restored, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}
