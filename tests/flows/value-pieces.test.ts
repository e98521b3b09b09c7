/** Values that pass through user code by pieces: read as they lie, written as they come, and never in memory as a whole. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, succeed, type EventHost } from "../events/event-host.ts";

const MIB = 1_048_576;
const LARGE_BYTES = (process.env["PLINTH_TEST_LONG"] === undefined ? 8 : 160) * MIB;

const MANIFEST = 'version: "2"\nname: shift\ndescription: Adds one.\nfunctions:\n  - name: shift\n    description: Adds one.\n';
const NODE = `
  import { Readable } from "node:stream";
  import { readValue, writeValue } from "@plinth/sdk/values";
  async function shift([{ payload }]) {
    const source = Readable.from(readValue(payload.body)).map((bytes) => bytes.map((byte) => byte + 1));
    return { file: await writeValue(source, { contentType: "video/x-shifted" }) };
  }
  export const functionFactory = { shift };
`;
const PYTHON = `
import plinth

TABLE = bytes((byte + 1) % 256 for byte in range(256))


def shift(events):
    body = events[0]["payload"]["body"]
    pieces = (piece.translate(TABLE) for piece in plinth.read_value(body))
    return {"file": plinth.write_value(pieces, "video/x-shifted")}


function_factory = {"shift": shift}
`;

let host: EventHost;
let world = "";
const posted: { readonly digest: string; readonly bytes: number; readonly type: string }[] = [];

/** `GET /<bytes>`: so many bytes that are no text. `POST /`: takes what it is sent. */
const server = createServer((request, response) => {
  void (request.method === "POST" ? take(request, response) : give(Number(request.url?.slice(1)), response));
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  posted.push({ digest: hash.digest("hex"), bytes, type: String(request.headers["content-type"]) });
  response.end();
}

async function give(bytes: number, response: ServerResponse): Promise<void> {
  response.setHeader("content-type", "video/x-test");
  for (const chunk of chunksOf(bytes)) if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
  response.end();
}

function* chunksOf(bytes: number): Iterable<Buffer> {
  for (let at = 0; at < bytes; at += 65_536) {
    const chunk = Buffer.alloc(Math.min(65_536, bytes - at), 0xe7);
    chunk.writeUInt32BE(at, 0);
    yield chunk;
  }
}

function shiftedDigest(bytes: number): string {
  const hash = createHash("sha256");
  for (const chunk of chunksOf(bytes)) hash.update(chunk.map((byte) => byte + 1));
  return hash.digest("hex");
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  world = `http://127.0.0.1:${port}/`;
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${port}`, "--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "piece-functions", "convex"));
  const stdin = { contents: NODE, resolveDir: import.meta.dirname };
  const { outputFiles } = await build({ stdin, bundle: true, platform: "node", format: "cjs", write: false });
  await upload("node", { "code/package.json": '{"main":"./dist/index.js"}', "code/dist/index.js": outputFiles[0]?.text ?? "" });
  await upload("python", { "code/function_factory.py": PYTHON });
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  server.closeAllConnections();
  server.close();
});

async function upload(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { url, key } = host.local.connection;
  const body = archiveOf({ "manifest.yaml": MANIFEST, ...files });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/gzip" };
  expect((await fetch(`${url}/v1/packages/${name}/versions`, { method: "POST", headers, body })).status).toBe(200);
}

async function publish(name: string, start: string, nodes: Readonly<Record<string, unknown>>): Promise<readonly unknown[]> {
  const definition = { format: 1, name, trigger: { type: "api" }, start, nodes };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  return json["version"] === null ? (json["findings"] as readonly unknown[]) : [];
}

async function run(name: string, input: unknown = {}): Promise<Record<string, unknown>> {
  return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs: 60_000 } }))).json;
}

/** Most memory that the host has taken since `forgetPeak`. */
async function peakBytes(): Promise<number> {
  const status = await readFile(`/proc/${host.local.process.ready.pid}/status`, "utf8");
  return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) * 1024;
}

async function forgetPeak(): Promise<number> {
  await writeFile(`/proc/${host.local.process.ready.pid}/clear_refs`, "5");
  return await peakBytes();
}

test.each([
  ["node", "@node/shift"],
  ["python", "@python/shift"],
  ["action", "pieces:shift"],
])("a download passes through a function by pieces: %s", { timeout: 300_000 }, async (name, path) => {
  const found = await publish(`through_${name}`, "get", {
    get: { type: "webhook", data: { url: `="${world}" + string(trigger.bytes)`, method: "get" }, next: "shift" },
    shift: { type: "invoke", data: { function: path, input: { body: "=steps.get.output.body" }, open: ["body"] }, next: "put" },
    put: { type: "webhook", data: { url: world, body: "=steps.shift.output.file" }, next: "give" },
    give: { type: "return", data: { output: "=steps.shift.output" } },
  });
  expect(found).toEqual([]);
  // Once to load what it needs.
  expect(await run(`through_${name}`, { bytes: 2 * MIB })).toMatchObject({ status: "completed" });
  const before = await forgetPeak();
  const done = await run(`through_${name}`, { bytes: LARGE_BYTES });
  const grownBytes = (await peakBytes()) - before;
  expect(done).toMatchObject({ status: "completed", output: { file: null } });
  expect(posted.at(-1)).toEqual({ digest: shiftedDigest(LARGE_BYTES), bytes: LARGE_BYTES, type: "video/x-shifted" });
  expect(done["stored"]).toContainEqual(expect.objectContaining({ path: ["output", "file"], bytes: LARGE_BYTES }));
  // Pieces and their texts that are not collected yet.
  expect(grownBytes).toBeLessThan(100 * MIB);
  if (name !== "action") return;
  // What was given may be handed on, and what only looks like a handle is a value.
  expect(done).toMatchObject({ output: { given: null, same: { valueHandle: "value_of_somebody_else" } } });
  expect(done["stored"]).toContainEqual(expect.objectContaining({ path: ["output", "given"], bytes: LARGE_BYTES }));
});

test("an operation reads small and large texts in the same way, from where it likes", { timeout: 60_000 }, async () => {
  const input = { text: "=trigger.text", from: "=trigger.from" };
  const nodes = {
    count: { type: "action", data: { operation: "lines", input, open: ["text"] }, next: "give" },
    give: { type: "return", data: { output: "=steps.count.output" } },
  };
  expect(await publish("count", "count", nodes)).toEqual([]);
  const contentType = "text/plain; charset=utf-8";
  const small = await run("count", { text: "one\ntwo\nthree", from: 4 });
  expect(small).toMatchObject({ status: "completed", output: { lines: 2, contentType, first: "two" } });
  const large = await run("count", { text: `${"0123456789\n".repeat(200_000)}end`, from: 11 * 199_999 + 5 });
  expect(large).toMatchObject({ status: "completed", output: { lines: 2, contentType, first: "56789" } });
  const known = await publish("count", "count", { ...nodes, count: { ...nodes.count, data: { ...nodes.count.data, open: ["texts"] } } });
  expect(JSON.stringify(known)).toContain("names `texts`, which is no input of the node. Did you mean `text`?");
});

test("a handle opens nothing for another call, and for no transaction", { timeout: 60_000 }, async () => {
  const use = (how: string, more: object = {}) => ({
    type: "invoke",
    data: { function: "pieces:misuse", input: { body: "=trigger.text", how, ...more }, open: ["body"] },
  });
  await publish("steal", "leak", {
    leak: { ...use("leaks"), next: "forge" },
    forge: { ...use("forged", { handle: "=steps.leak.output" }) },
  });
  const stolen = await run("steal", { text: "x".repeat(100_000) });
  expect(stolen).toMatchObject({ status: "failed" });
  expect(JSON.stringify(stolen)).toContain("There is no such value that this call was given");

  const call = { function: "pieces:write", input: { body: "=trigger.text" }, open: ["body"] };
  const found = await publish("write", "write", { write: { type: "invoke", data: call } });
  expect(JSON.stringify(found)).toContain("a mutation reads nothing by pieces");
});

test("a call that was given no values reads and writes none", async () => {
  const body = { valueHandle: "value_x", bytes: 1, contentType: "text/plain" };
  await expect(host.run("pieces:shift", { body })).rejects.toThrow(/Only code that a step of a flow calls itself/);
});
