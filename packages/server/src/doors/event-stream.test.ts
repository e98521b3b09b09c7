import { fastify } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { StreamForm } from "./door.ts";
import { sendStream } from "./event-stream.ts";
import { UnreadAnswers } from "./unread-answers.ts";

const server = fastify();
afterEach(async () => await server.close());

describe("H07: the text of a runner's result", () => {
  it("cannot begin another event or line", async () => {
    const hostile = '{"value":[1,\n\n2\r\n,3]}';
    server.get<{ Params: { form: StreamForm } }>("/:form", async (request, reply) => {
      reply.hijack();
      const place = new AbortController();
      await sendStream(
        { runtime: createSystemRuntime(), answers: new UnreadAnswers() },
        {
          reply,
          answer: { kind: "stream", form: request.params.form, write: async (stream) => stream.send("done", hostile) },
          place: { tenant: "default", signal: place.signal, abort: () => place.abort() },
        },
      );
    });
    const url = await server.listen({ host: "127.0.0.1", port: 0 });
    const events = await (await fetch(`${url}/events`)).text();
    expect(events).toBe('event: done\ndata: {"value":[1, 2 ,3]}\n\n');
    const lines = await (await fetch(`${url}/lines`)).text();
    expect(lines.trimEnd().split("\n")).toHaveLength(1);
  });
});
