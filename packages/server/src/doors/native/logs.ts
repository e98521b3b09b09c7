/** `GET /v1/logs`: console lines and errors of the branch's functions, past ones first, then as they come. */
import type { LogLine } from "../../engine/invocation.ts";
import { jsonReply, type EventSink, type Reply } from "../door.ts";
import { streamFormOf } from "../event-stream.ts";
import type { FinishedInvocation } from "../invocation-feed.ts";
import { jsonOrEvents, type DocumentedRoute } from "../openapi/route-doc.ts";
import { choice, closed, list, moment, named, text, whole } from "../openapi/schema.ts";
import { LOG_LEVEL } from "../openapi/schemas.ts";

const LOG_ENTRY = named(
  "LogEntry",
  closed({ atMs: moment(), invocation: text("Id of the invocation."), functionPath: text(), level: LOG_LEVEL, text: text() }),
);

interface LogEntry {
  readonly atMs: number;
  readonly invocation: string;
  readonly functionPath: string;
  readonly level: LogLine["level"];
  readonly text: string;
}

/** `?follow=true` keeps the stream open; without an event stream in `Accept` the past lines are one JSON answer. */
export const logs: DocumentedRoute = {
  method: "GET",
  path: "/v1/logs",
  access: ["read", "deploy"],
  doc: {
    summary: "Log lines and errors of the branch's functions",
    description: "Past ones, and as a stream also those that come.",
    tag: "Invocations",
    query: { follow: choice(["true", "false"], "Of streams: `false` ends it after the past lines.") },
    answers: {
      200: jsonOrEvents(closed({ entries: list(LOG_ENTRY) }), {
        log: LOG_ENTRY,
        dropped: closed({ invocation: text(), lines: whole("How many were too many.") }),
      }),
    },
  },
  handle: async (context, request): Promise<Reply> => {
    const { scope } = request.caller;
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) {
      const past = await context.recentInvocations(scope);
      return jsonReply({ entries: past.flatMap(entriesOf) });
    }
    const follow = request.query.get("follow") !== "false";
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        // What ends while the past is read waits its turn, so that nothing is lost or out of order.
        const waiting: FinishedInvocation[] = [];
        let deliver = (finished: FinishedInvocation): void => void waiting.push(finished);
        const unsubscribe = context.feed.subscribe(scope, (finished) => deliver(finished));
        try {
          const past = await context.recentInvocations(scope);
          const shown = new Set(past.map((finished) => finished.id));
          for (const finished of past) sendEntries(stream, finished);
          if (!follow) return;
          for (const finished of waiting) if (!shown.has(finished.id)) sendEntries(stream, finished);
          deliver = (finished) => sendEntries(stream, finished);
          await aborted(stream.signal);
        } finally {
          unsubscribe();
        }
      },
    };
  },
};

function sendEntries(stream: EventSink, finished: FinishedInvocation): void {
  for (const entry of entriesOf(finished)) stream.send("log", JSON.stringify(entry));
  if (finished.logsDropped > 0) stream.send("dropped", JSON.stringify({ invocation: finished.id, lines: finished.logsDropped }));
}

function entriesOf({ id, functionPath, atMs, logs, failure }: FinishedInvocation): readonly LogEntry[] {
  const base = { invocation: id, functionPath };
  const lines = logs.map((line) => ({ atMs: line.atMs, ...base, level: line.level, text: line.text }));
  return failure === undefined ? lines : [...lines, { atMs, ...base, level: "error", text: failure }];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
