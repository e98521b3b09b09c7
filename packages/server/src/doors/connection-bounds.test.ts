/** What clients can hold of a port, with real sockets: from 127.0.0.2, while 127.0.0.1 is a proxy. */
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { ConnectionBounds, networkOf, type ConnectionRefusal } from "./connection-bounds.ts";
import { createHttpServer, listen, type HttpServer } from "./http-server.ts";
import { UnreadAnswers } from "./unread-answers.ts";

let server: HttpServer;
let port: number;
let refused: ConnectionRefusal[];
let sockets: Socket[];

async function open(options: { readonly perAddressMax?: number; readonly perPortMax?: number } = {}): Promise<void> {
  const onRefused = (why: ConnectionRefusal): void => void refused.push(why);
  const connections = new ConnectionBounds({ trustedProxies: ["127.0.0.1"], onRefused, ...options });
  const context = { log: { error: () => undefined }, runtime: createSystemRuntime(), answers: new UnreadAnswers(), connections };
  server = createHttpServer(context, { bodyBytesMax: 1000, readMsMax: 300 });
  server.all("/", () => "hello");
  port = await listen(server, { address: "127.0.0.1", port: 0 });
}

beforeEach(() => {
  refused = [];
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

interface Client {
  readonly socket: Socket;
  /** What came until the server closed its side. */
  readonly ended: Promise<string>;
}

/** A client that never closes its own side. */
function client(from: string, text = ""): Client {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from, allowHalfOpen: true });
  sockets.push(socket);
  let got = "";
  socket.on("data", (piece) => (got += piece.toString()));
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const event of ["end", "close", "error"]) socket.once(event, () => resolve(got));
  if (text !== "") socket.write(text);
  return { socket, ended: promise };
}

const ASK = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const ASK_ON = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

const isOpen = (count: number) =>
  expect
    .poll(() => new Promise<number>((resolve) => server.server.getConnections((_, open) => resolve(open))), { timeout: 60_000 })
    .toBe(count);

async function answered({ socket }: Client): Promise<Socket> {
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  return socket;
}

describe("connections", () => {
  it("C1 C3 of one address are bounded, those of proxies in all alone; a place comes back", async () => {
    await open({ perAddressMax: 2 });
    const first = await answered(client("127.0.0.2", ASK_ON));
    await answered(client("127.0.0.2", ASK_ON));
    expect(await client("127.0.0.2").ended).toMatch(/^HTTP\/1\.1 429 .*retry-after: 1\r\n.*TooManyConcurrentRequests/s);
    expect(refused).toEqual(["address"]);
    for (let i = 0; i < 3; i++) await answered(client("127.0.0.1", ASK_ON));
    expect(await client("127.0.0.3", ASK).ended).toContain("200 OK");
    first.destroy();
    await expect.poll(() => client("127.0.0.2", ASK).ended, { timeout: 60_000 }).toContain("200 OK");
  });

  it("C1 of all addresses are bounded", async () => {
    await open({ perPortMax: 2 });
    await answered(client("127.0.0.1", ASK_ON));
    await answered(client("127.0.0.2", ASK_ON));
    expect(await client("127.0.0.3", ASK).ended).toBe("");
    expect(refused).toEqual(["port"]);
  });

  it.each([
    ["nonsense", "NONSENSE\r\n\r\n"],
    ["nothing", ""],
    ["half a head", "GET / HTTP/1.1\r\nhost: x\r\n"],
    ["half a body", "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"],
  ])("of who sends %s end, though the client does not close its side", { timeout: 120_000 }, async (_, text) => {
    await open();
    const { socket, ended } = client("127.0.0.2", text);
    expect(await ended).toContain("HTTP/1.1 400");
    await isOpen(0);
    socket.destroy();
  });
});

it.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["2001:db8:0:1:aaaa::1", "2001:db8:0:1"],
  ["2001:0db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4"],
])("C2 %s is of the network %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it("C3 a wrong network is refused", () => {
  for (const text of ["10.0.0.0/33", "1.2.3", "::/129"])
    expect(() => new ConnectionBounds({ trustedProxies: [text] })).toThrow(expect.objectContaining({ code: "BadConfiguration" }));
});
