/** What strangers and ill-behaved clients do at the doors, and what others notice of it. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { deployApp, startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

let host: TestHost;
let smtpPort: number;
beforeAll(async () => {
  smtpPort = await freePort();
  host = await startTestHost({ smtpPort });
  await deployApp(host);
}, 60_000);
afterAll(() => host.remove());

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

/** A connection, and what it was told so far. */
async function open(port: number): Promise<{ readonly socket: Socket; readonly said: () => string; readonly ended: Promise<void> }> {
  const socket = connect(port, "127.0.0.1");
  let said = "";
  socket.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return { socket, said: () => said, ended };
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !what(); i += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  expect(what()).toBe(true);
}

describe("strangers", () => {
  it("who announce large bodies and never send them lock out nobody with a key", { timeout: 60_000 }, async () => {
    const port = Number(new URL(host.url).port);
    const count = Math.ceil(limit("requestBodiesBytesMax") / limit("emailBytesMax")) + 4;
    const slow = await Promise.all(Array.from({ length: count }, () => open(port)));
    try {
      const head = `POST /v1/email/${"x".repeat(40)} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`;
      for (const { socket } of slow) socket.write(head);
      await until(() => slow.filter(({ said }) => said().startsWith("HTTP/1.1 429")).length > 4);
      // They are refused before they have all of the memory, so a large body of somebody known has a place.
      const answer = await host.send("/v1/functions/messages:echo/execute", { body: { args: { value: "x".repeat(4_000_000) } } });
      expect(answer.status, answer.text.slice(0, 300)).toBe(200);
    } finally {
      for (const { socket } of slow) socket.destroy();
    }
  });

  it("who try out addresses over SMTP are sent away", { timeout: 30_000 }, async () => {
    const { socket, said, ended } = await open(smtpPort);
    await until(() => said().startsWith("220 "));
    const attempts = 10 * limit("smtpRefusalsMax");
    socket.write(`EHLO a\r\nMAIL FROM:<a@b.test>\r\n${"RCPT TO:<0123456789012345678901234567890123456789@c.test>\r\n".repeat(attempts)}`);
    await ended;
    expect(said().match(/^550 /gm)?.length).toBe(limit("smtpRefusalsMax"));
    expect(said()).toMatch(/^421 4\.7\.0 /m);
  });
});
