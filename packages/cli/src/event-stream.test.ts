import { expect, test } from "vitest";
import { readEvents } from "./event-stream.ts";

test("heartbeats are no events, also when they come between events or in pieces", async () => {
  const pieces = [": wait", "ing\n\n", 'event: log\ndata: {"a":1}\n\n: waiting\n\n', "event: done\ndata: null\n", "\n: waiting\n\n"];
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  expect(await Array.fromAsync(readEvents(new Response(body)))).toEqual([
    { event: "log", data: '{"a":1}' },
    { event: "done", data: "null" },
  ]);
});
