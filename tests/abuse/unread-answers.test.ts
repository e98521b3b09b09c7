/** Clients that ask for large answers and do not read them. */
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { FunctionService } from "../../packages/server/src/protobuf/_generated/plinth/v1/functions_pb.js";
import { deployApp, startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

const VALUE_CHARS = 15 * 1024 * 1024;
const ENOUGH = Math.ceil(limit("unreadTenantBytesMax") / VALUE_CHARS) + 3;

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ grpcPort: 0, userCpuMs: 30_000 });
  await deployApp(host);
}, 60_000);
afterAll(() => host.remove());

/** Sends a request and reads nothing but the first bytes of the answer. */
async function ask(body: string): Promise<{ readonly socket: Socket; readonly head: string }> {
  const { port } = new URL(host.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => undefined);
  const head = `POST /v1/functions/messages:echo/execute HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${host.adminKey}\r\n`;
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
  socket.write(body);
  await new Promise<void>((resolve) => socket.once("readable", () => resolve()));
  return { socket, head: (socket.read(12) as Buffer).toString("latin1") };
}

it("over HTTP fill their own part of the memory and no more", { timeout: 120_000 }, async () => {
  const body = JSON.stringify({ args: { value: "x".repeat(VALUE_CHARS) } });
  const asked: Socket[] = [];
  try {
    const all = await Promise.all(Array.from({ length: ENOUGH }, () => ask(body)));
    asked.push(...all.map(({ socket }) => socket));
    expect(all.filter(({ head }) => head === "HTTP/1.1 429").length).toBeGreaterThan(0);
    const answered = all.filter(({ head }) => head === "HTTP/1.1 200").length;
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(ENOUGH);
    // Small answers go on.
    expect((await host.send("/v1/functions/messages:echo/execute", { body: { args: { value: 1 } } })).status).toBe(200);
  } finally {
    for (const socket of asked) socket.destroy();
  }
  // What they held is free when they are gone.
  for (let i = 0; i < 100; i += 1) {
    const { socket, head } = await ask(body);
    socket.destroy();
    if (head === "HTTP/1.1 200") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect.unreachable("the memory of answers is still taken");
});

it("over gRPC too", { timeout: 120_000 }, async () => {
  const session: ClientHttp2Session = connectHttp2(`http://${host.grpcAddress ?? ""}`, { settings: { initialWindowSize: 0 } });
  session.on("error", () => undefined);
  const { execute } = FunctionService.method;
  const message = toBinary(
    execute.input,
    create(execute.input, { function: "messages:echo", args: { value: "x".repeat(VALUE_CHARS) }, resultOnly: true }),
  );
  const frame = Buffer.concat([Buffer.alloc(5), message]);
  frame.writeUInt32BE(message.length, 1);
  try {
    let refused = 0;
    for (let i = 0; i < ENOUGH && refused === 0; i += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": `/${execute.parent.typeName}/${execute.name}`,
        "content-type": "application/grpc",
        te: "trailers",
        authorization: `Bearer ${host.adminKey}`,
      });
      stream.on("error", () => (refused += 1));
      stream.end(frame);
      await new Promise<void>((resolve) => {
        stream.once("response", () => resolve());
        stream.once("close", () => resolve());
      });
    }
    for (let i = 0; i < 200 && refused === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 25));
    expect(refused).toBeGreaterThan(0);
  } finally {
    session.destroy();
  }
});
