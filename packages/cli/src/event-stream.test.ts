import { createServer } from "node:http";
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

test("an answer whose host is killed ends after the events that came", async () => {
  const server = createServer((_, response) => {
    response.write('event: progress\ndata: {"text":"a"}\n\n', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const response = await fetch(`http://127.0.0.1:${port}`);
    expect(await Array.fromAsync(readEvents(response))).toEqual([{ event: "progress", data: '{"text":"a"}' }]);
  } finally {
    server.close();
  }
});
