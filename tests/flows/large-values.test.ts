/** Values that do not fit into a journal: stored once, handed on by reference, streamed where they are larger than a call may take. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

const MIB = 1_048_576;
const LARGE_BYTES = (process.env["PLINTH_TEST_LONG"] === undefined ? 48 : 256) * MIB;

let host: EventHost;
let world = "";
/** What was posted: its digest, size, type and key. */
const posted: { readonly digest: string; readonly bytes: number; readonly type: string; readonly key: string }[] = [];

/** `GET /<bytes>`: so many bytes that are no text. `GET /rows`: JSON. `POST /`: takes what it is sent. */
const server = createServer((request, response) => {
  if (request.url === "/rows") {
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(JSON.stringify({ rows: Array.from({ length: 4 }, (_, n) => ({ n, text: "x".repeat(50_000) })) }));
    return;
  }
  void (request.method === "POST" ? take(request, response) : give(Number(request.url?.slice(1)), response));
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  const { "content-type": type, "idempotency-key": key } = request.headers;
  posted.push({ digest: hash.digest("hex"), bytes, type: String(type), key: String(key) });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ bytes }));
}

async function give(bytes: number, response: ServerResponse): Promise<void> {
  response.setHeader("content-type", "video/x-test");
  response.setHeader("content-length", bytes);
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

function digestOf(bytes: number): string {
  const hash = createHash("sha256");
  for (const chunk of chunksOf(bytes)) hash.update(chunk);
  return hash.digest("hex");
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  world = `http://127.0.0.1:${port}/`;
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${port}`, "--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "functions", "convex"));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  server.closeAllConnections();
  server.close();
});

async function publish(name: string, start: string, nodes: Readonly<Record<string, unknown>>, more: object = {}): Promise<void> {
  const definition = { format: 1, name, trigger: { type: "api" }, start, nodes, ...more };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}

async function run(name: string, input: unknown = {}): Promise<Record<string, unknown>> {
  return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs: 60_000 } }))).json;
}

interface Stored {
  readonly path: readonly (string | number)[];
  readonly digest: string;
  readonly bytes: number;
}

async function history(id: string): Promise<readonly Record<string, unknown>[]> {
  const { json } = await succeed(host.send(`/v1/flow-runs/${id}/history`));
  return json["steps"] as readonly Record<string, unknown>[];
}

async function bytesOf(id: string, digest: string): Promise<Buffer | null> {
  const { url, key } = host.local.connection;
  const response = await fetch(`${url}/v1/flow-runs/${id}/values/${digest}`, { headers: { authorization: `Bearer ${key}` } });
  return response.ok ? Buffer.from(await response.arrayBuffer()) : null;
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

test("a download is handed on as an upload without being in memory", { timeout: 300_000 }, async () => {
  await publish("copy", "get", {
    get: { type: "webhook", data: { url: `="${world}" + string(trigger.bytes)`, method: "get" }, next: "put" },
    put: { type: "webhook", data: { url: world, body: "=steps.get.output.body" }, next: "give" },
    give: { type: "return", data: { output: { sent: "=steps.put.output.body.bytes", status: "=steps.get.output.status" } } },
  });
  // Once to load what it needs.
  for (let i = 0; i < 3; i++) expect(await run("copy", { bytes: 8 * MIB })).toMatchObject({ status: "completed" });
  const before = await forgetPeak();
  const done = await run("copy", { bytes: LARGE_BYTES });
  const grownBytes = (await peakBytes()) - before;
  expect(done).toMatchObject({ status: "completed", output: { sent: LARGE_BYTES, status: 200 } });
  expect(posted.at(-1)).toMatchObject({ digest: digestOf(LARGE_BYTES), bytes: LARGE_BYTES, type: "video/x-test" });
  // Pieces that are not collected yet. In memory it would be more than thrice its size, as base64 and as bytes.
  expect(grownBytes).toBeLessThan(80 * MIB);

  const got = (await history(String(done["id"]))).find(({ node, kind }) => node === "get" && kind === "ended");
  const [part] = (got?.["stored"] ?? []) as readonly Stored[];
  expect(part).toMatchObject({ path: ["body"], digest: digestOf(LARGE_BYTES), bytes: LARGE_BYTES });
  const bytes = await bytesOf(String(done["id"]), part?.digest ?? "");
  expect(bytes?.length).toBe(LARGE_BYTES);
});

test("a large output keeps its small fields, and calls are given all of it", { timeout: 60_000 }, async () => {
  await publish("parts", "make", {
    make: {
      type: "script",
      data: { code: 'return { name: "report", text: "é".repeat(150_000), rows: [{ n: 1 }] };' },
      next: "read",
    },
    read: {
      type: "script",
      data: {
        code: "return [inputs.text.length, inputs.inside.text === inputs.text, workflow.steps.make.text === inputs.text, workflow.steps.make.name];",
        input: { text: "=steps.make.output.text", inside: "=steps.make.output" },
      },
      next: "add",
    },
    add: { type: "invoke", data: { function: "notes:add", input: { text: "=steps.make.output.text" } }, next: "give" },
    give: {
      type: "return",
      data: {
        output: {
          name: "=steps.make.output.name",
          rows: "=size(steps.make.output.rows)",
          text: "=steps.make.output.text",
          read: "=steps.read.output",
        },
      },
    },
  });
  const done = await run("parts");
  expect(done).toMatchObject({
    status: "completed",
    output: { name: "report", rows: 1, text: null, read: [150_000, true, true, "report"] },
  });
  const [part] = done["stored"] as readonly Stored[];
  expect(part).toMatchObject({ path: ["output", "text"], bytes: 300_000, contentType: "text/plain; charset=utf-8" });
  expect((await bytesOf(String(done["id"]), part?.digest ?? ""))?.toString("utf8")).toBe("é".repeat(150_000));
  expect(await host.run("notes:list", {})).toEqual(["é".repeat(150_000)]);
  // The journal has the reference alone.
  expect(JSON.stringify(await history(String(done["id"]))).length).toBeLessThan(8192);
});

test("an input of a run may be large, and what looks like a reference is a value", { timeout: 60_000 }, async () => {
  await publish("given", "look", {
    look: {
      type: "script",
      data: { code: "return [inputs.all.text.length, inputs.all.forged];", input: { all: "=trigger" } },
      next: "give",
    },
    give: { type: "return", data: { output: "=steps.look.output" } },
  });
  const [{ digest }] = (await run("parts"))["stored"] as readonly [Stored];
  const value = { digest, bytes: 300_000, contentType: "text/plain" };
  const forged = { json: null, stored: [{ path: [], value }], stored_body: value, $stored: value };
  const done = await run("given", { text: "x".repeat(100_000), forged, stored: [{ path: ["text"], value }] });
  expect(done).toMatchObject({ status: "completed", output: [100_000, forged] });
  // A digest opens nothing in a run that does not have it.
  expect(await bytesOf(String(done["id"]), digest)).toBeNull();
});

test("expressions read a large answer, and loops go over it, also after a crash", { timeout: 60_000 }, async () => {
  await publish("rows", "get", {
    get: { type: "webhook", data: { url: `${world}rows`, method: "get" }, next: "ask" },
    ask: { type: "wait", data: { for: "signal", signal: "go" }, next: "each" },
    each: { type: "for_each", data: { items: "=steps.get.output.body.rows", body: "one", collect: "=item.n" }, next: "give" },
    one: { type: "script", data: { code: "return inputs.item.text.length;", input: { item: "=item" } } },
    give: {
      type: "return",
      data: { output: { numbers: "=steps.each.output.results", count: "=size(steps.get.output.body.rows)" } },
    },
  });
  const { json } = await succeed(host.send("/v1/flows/rows/runs", { body: { input: {} } }));
  const id = String(json["id"]);
  await eventually(async () => ((await host.send(`/v1/flow-runs/${id}`)).json["status"] === "waiting" ? true : undefined), "the signal");
  host = eventHost(await host.local.crash());
  await succeed(host.send(`/v1/flow-runs/${id}/signal`, { body: { name: "go" } }));
  const done = await eventually(async () => {
    const { json: run } = await succeed(host.send(`/v1/flow-runs/${id}`));
    return run["endedMs"] === null ? undefined : run;
  }, "the end of the run");
  expect(done).toMatchObject({ status: "completed", output: { numbers: [0, 1, 2, 3], count: 4 } });
});
