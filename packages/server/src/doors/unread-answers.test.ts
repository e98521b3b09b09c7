import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { ServerResponse } from "node:http";
import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { UnreadAnswers } from "./unread-answers.ts";

function response(): ServerResponse {
  return Object.assign(new EventEmitter(), { setTimeout: () => undefined, writableEnded: false }) as unknown as ServerResponse;
}

it("U1 bounds what each tenant and all of them hold, and counts what is read or gone no more", () => {
  const answers = new UnreadAnswers();
  const half = limit("unreadTenantBytesMax") / 2;
  const first = response();
  answers.hold(first, { tenant: "a", bytes: half });
  const read = answers.hold(response(), { tenant: "a", bytes: half });
  expect(() => answers.hold(response(), { tenant: "a", bytes: half })).toThrow(PlinthError);
  answers.hold(response(), { tenant: "b", bytes: half });
  read();
  read();
  first.emit("close");
  expect(answers.bytes).toBe(half);
  answers.hold(response(), { tenant: "a", bytes: 2 * half });
  for (const tenant of ["c", "d"]) answers.hold(response(), { tenant, bytes: 2 * half });
  expect(() => answers.hold(response(), { tenant: "e", bytes: 2 * half })).toThrow(PlinthError);
  answers.hold(response(), { tenant: "e", bytes: 10 });
});

it("U2 cuts off a client that reads nothing, and not one that reads slowly", { timeout: 60_000 }, async () => {
  const stallMs = 3000;
  const answers = new UnreadAnswers(stallMs);
  const answer = Buffer.alloc(16 * 1024 * 1024);
  const server = createServer((_request, reply) => {
    answers.hold(reply, { tenant: "a", bytes: answer.length });
    reply.end(answer);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stalled = connect(port, "127.0.0.1");
  stalled.on("error", () => undefined).pause();
  stalled.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const slow = connect(port, "127.0.0.1");
  let received = 0;
  slow.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  slow.on("data", (chunk: Buffer) => {
    received += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 10);
  });
  await once(slow, "end");
  expect(received).toBeGreaterThan(answer.length);
  for (let i = 0; i < 600 && answers.bytes > 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(answers.bytes).toBe(0);
  stalled.destroy();
  server.close();
});
