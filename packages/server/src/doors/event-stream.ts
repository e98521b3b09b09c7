/** Writes answers that grow: server-sent events or JSON lines, with a heartbeat and a bound on what waits. */
import { limit } from "@plinth/core/limits.ts";
import type { FastifyReply } from "fastify";
import type { ServerResponse } from "node:http";
import type { DoorContext, EventSink, StreamForm, StreamReply } from "./door.ts";

/** The form that the `Accept` header asks for; undefined when it wants one JSON answer. */
export function streamFormOf(accept: string | undefined): StreamForm | undefined {
  if (accept === undefined) return undefined;
  if (accept.includes("text/event-stream")) return "events";
  if (accept.includes("application/x-ndjson") || accept.includes("application/jsonl")) return "lines";
  return undefined;
}

export async function sendStream(
  context: Pick<DoorContext, "runtime" | "answers">,
  {
    reply,
    answer,
    place,
  }: {
    readonly reply: FastifyReply;
    readonly answer: StreamReply;
    readonly place: { readonly tenant: string; readonly signal: AbortSignal; abort(): void };
  },
): Promise<void> {
  const response = reply.raw;
  response.once("close", () => place.abort());
  response.writeHead(200, {
    ...stringHeaders(reply),
    "content-type": answer.form === "events" ? "text/event-stream; charset=utf-8" : "application/x-ndjson; charset=utf-8",
    "cache-control": "no-store",
    // Proxies must not collect events.
    "x-accel-buffering": "no",
  });
  response.flushHeaders();
  const heart = beat(context, response, answer.form);
  try {
    await answer.write(sinkOf(response, answer.form, place.signal));
  } finally {
    heart.stop();
  }
  response.end();
  // Its place is another's now; what was written is not read yet.
  if (!response.destroyed) context.answers.hold(response, { tenant: place.tenant, bytes: response.writableLength });
}

function sinkOf(response: ServerResponse, form: StreamForm, signal: AbortSignal): EventSink {
  return {
    signal,
    send: (event, text) => {
      if (signal.aborted || response.destroyed) return;
      const dataText = onOneLine(text);
      response.write(
        form === "events" ? `event: ${event}\ndata: ${dataText}\n\n` : `{"event":${JSON.stringify(event)},"data":${dataText}}\n`,
      );
      if (response.writableLength > limit("eventStreamBufferBytesMax")) response.destroy();
    },
  };
}

/** Results are JSON text of runners, who may put line breaks between its tokens: there they would begin another event. */
function onOneLine(jsonText: string): string {
  return /[\r\n]/.test(jsonText) ? jsonText.replace(/[\r\n]+/g, " ") : jsonText;
}

/** Writes something harmless now and then, so that proxies keep a silent stream and a dead client is noticed. */
function beat(context: Pick<DoorContext, "runtime">, response: ServerResponse, form: StreamForm): { stop(): void } {
  let timer = schedule();
  function schedule() {
    return context.runtime.timer(limit("eventStreamHeartbeatMs"), () => {
      if (!response.destroyed) response.write(form === "events" ? ": waiting\n\n" : "\n");
      timer = schedule();
    });
  }
  return { stop: () => timer.cancel() };
}

function stringHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
