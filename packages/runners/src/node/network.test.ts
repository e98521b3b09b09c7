/** The network that packages see: real clients, whose requests must arrive as host calls. */
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { PeerOutcome, RunnerPeer } from "../conformance/runner-peer.ts";
import { startRunner, VERSION } from "./test-package.ts";

const AXIOS = createRequire(import.meta.url).resolve("axios");
const READ = `
const http = require("http"), https = require("https"), net = require("net"), tls = require("tls"), dns = require("dns");
const { once } = require("events");
const axios = require(${JSON.stringify(AXIOS)});
const text = async (stream) => { let all = ""; for await (const piece of stream) all += piece; return all; };
const P = Promise;
const send = (lib, url, options, body) => new P((resolve, reject) => {
  const request = lib.request(...(typeof url === "string" ? [url, options] : [url]), async (response) => {
    try { resolve({ status: response.statusCode, headers: response.headers, text: await text(response), port: request.socket?.remotePort, reused: request.reusedSocket }); }
    catch (error) { reject(error); }
  });
  request.on("error", reject);
  if (typeof body === "function") body(request); else request.end(body);
});
const errorOf = async (promise) => promise.then((value) => ({ value }), (error) => ({ name: error.name, code: error.code ?? error.cause?.code, message: error.cause?.message ?? error.message }));
const agent = new https.Agent({ keepAlive: true });
`;

const FUNCTIONS = {
  http: `() => send(http, "http://example.com:8080/a/b?c=1", { method: "POST", headers: { "X-One": "1", "Content-Type": "text/plain" } }, "hällo")`,
  keepAlive: `async () => {
    const first = await send(https, "https://example.com/1", { agent });
    const second = await send(https, "https://example.com/2", { agent });
    return [first.status, second.status, first.reused, second.reused];
  }`,
  fetch: `async () => {
    const response = await fetch("https://example.com/f?x=1", { method: "PUT", headers: { "x-two": "2" }, body: JSON.stringify({ a: 1 }) });
    return { status: response.status, type: response.headers.get("content-type"), cookies: response.headers.getSetCookie(), json: await response.json(), url: response.url };
  }`,
  fetchStream: `async () => {
    const body = new ReadableStream({ async start(c) { for (let i = 0; i < 3; i++) { c.enqueue(new TextEncoder().encode("p" + i)); await new Promise((r) => setTimeout(r, 1)); } c.close(); } });
    return (await fetch("https://example.com/s", { method: "POST", body, duplex: "half" })).text();
  }`,
  fetchRedirect: `async () => { const r = await fetch("https://example.com/old"); return [r.status, r.redirected, r.url]; }`,
  form: `async () => { const form = new FormData(); form.set("f", new Blob(["abc"]), "f.txt"); return (await fetch("https://example.com/form", { method: "POST", body: form })).status; }`,
  axios: `async () => {
    const client = axios.create({ baseURL: "https://api.example.com", headers: { Authorization: "raw-token" } });
    const { status, data } = await client.post("/works.create", { title: "t" });
    return { status, data };
  }`,
  axiosError: `async () => axios.get("https://example.com/404").catch((e) => [e.name, e.response.status, e.response.data])`,
  refused: `async () => [await errorOf(send(https, "https://10.0.0.1/", {})), await errorOf(fetch("https://10.0.0.1/")), await errorOf(axios.get("https://10.0.0.1/"))]`,
  streamed: `() => send(http, "http://example.com/up", { method: "POST" }, async (request) => {
    for (let i = 0; i < 50; i++) { if (!request.write("x".repeat(20000))) await once(request, "drain"); }
    request.end("end");
  })`,
  abort: `async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    return [await errorOf(fetch("https://slow.example.com/", { signal: controller.signal })), await errorOf(axios.get("https://slow.example.com/", { timeout: 20 }))];
  }`,
  raw: `async () => errorOf(new Promise((resolve, reject) => { const s = net.connect(5432, "db.example.com", () => s.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))); s.on("error", reject); s.on("close", resolve); }))`,
  http2: `async () => errorOf(new Promise((resolve, reject) => { const c = require("http2").connect("https://example.com"); c.on("error", reject); }))`,
  h2c: `async () => errorOf(new Promise((resolve, reject) => { const c = require("http2").connect("http://example.com"); c.on("error", reject); c.on("connect", () => { const r = c.request({ ":path": "/" }); r.on("error", reject); r.on("response", () => resolve("answered")); r.end(); }); }))`,
  socketPath: `async () => errorOf(send(http, { socketPath: "/var/run/docker.sock", path: "/" }, {}))`,
  upgrade: `async () => errorOf(send(https, "https://example.com/ws", { headers: { Connection: "Upgrade", Upgrade: "websocket" } }))`,
  webSocket: `async () => new Promise((resolve) => { const ws = new WebSocket("wss://example.com/ws"); ws.onerror = () => resolve("error"); ws.onopen = () => resolve("open"); })`,
  dns: `async () => {
    const { address, family } = await dns.promises.lookup("name.example.com");
    const again = await new Promise((resolve) => dns.lookup("name.example.com", { all: true }, (e, all) => resolve(all)));
    const { status } = await send(http, { host: address, port: 80, path: "/by-address" }, {});
    const records = await dns.promises.resolve("name.example.com", "TXT").catch((e) => e.code);
    const resolved = await new Promise((resolve) => dns.resolve("name.example.com", (e, all) => resolve(all[0] === address)));
    return [family, again[0].address === address, status, records, resolved];
  }`,
  head: `async () => { const { status, headers, text } = await send(https, "https://example.com/h", { method: "HEAD" }); return [status, headers["content-length"], text]; }`,
  expectContinue: `() => send(http, "http://example.com/c", { method: "POST", headers: { Expect: "100-continue", "Content-Length": 2 } }, (request) => request.on("continue", () => request.end("ok")))`,
  esm: `async () => { const { request } = await import("node:https"); return (await send({ request }, "https://example.com/esm", {})).status; }`,
  proxyEnv: `async () => [Object.keys(process.env), (await axios.get("https://example.com/p")).status]`,
  parallel: `async () => (await Promise.all(Array.from({ length: 20 }, (_, i) => fetch("https://example.com/" + i).then((r) => r.status)))).length`,
  big: `async () => { const r = await fetch("https://example.com/big"); return (await r.arrayBuffer()).byteLength; }`,
  patched: `async () => {
    const { parse, stringify } = JSON, promise = Promise;
    try { JSON.stringify = JSON.parse = () => "no"; globalThis.Promise = class { constructor() { throw new Error("no"); } }; return (await send(https, "https://example.com/1", {})).status; }
    finally { JSON.stringify = stringify; JSON.parse = parse; globalThis.Promise = promise; }
  }`,
};

const requests: FetchRequest[] = [];

function answer(_op: string, argText: string): string | Error | Promise<string | Error> {
  const request = JSON.parse(argText) as FetchRequest;
  requests.push(request);
  const { host, pathname } = new URL(request.url);
  if (host.startsWith("10."))
    return Object.assign(new Error(`The fetch of https://${host}/ was refused: private addresses`), { code: "FetchRefused" });
  if (host.startsWith("slow.")) return new Promise((resolve) => setTimeout(() => resolve(reply(200, "late")), 5000).unref());
  if (pathname === "/404") return reply(404, '{"no":1}');
  if (pathname === "/old") return reply(302, "", [["location", "/new"]]);
  if (pathname === "/big") return reply(200, "b".repeat(3_000_000));
  if (pathname === "/h") return reply(200, "", [["content-length", "12345"]]);
  return reply(200, '{"ok":true}', [
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
}

function reply(status: number, text: string, headers: FetchResponse["headers"] = []): string {
  const all = [["content-type", "application/json"], ...headers] as FetchResponse["headers"];
  const response: FetchResponse = {
    url: "",
    status,
    statusText: "",
    headers: all,
    redirected: false,
    bodyBase64: Buffer.from(text).toString("base64"),
  };
  return JSON.stringify(response);
}

describe("the network of a package", () => {
  let peer: RunnerPeer;
  const start = async (): Promise<void> => {
    peer = await startRunner(FUNCTIONS, READ);
  };
  beforeAll(start);
  afterAll(() => peer.close());

  const run = async (path: keyof typeof FUNCTIONS, env: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    requests.length = 0;
    if (peer.hasExited) await start();
    const outcome: PeerOutcome = await peer.invoke({ version: VERSION, kind: "handler", path, answer, env });
    if (outcome.kind !== "result") throw new Error(`${outcome.kind}: ${outcome.failure.message} ${outcome.failure.stack ?? ""}`);
    return JSON.parse(outcome.text);
  };
  const body = (request: FetchRequest | undefined): string => Buffer.from(request?.bodyBase64 ?? "", "base64").toString();

  test("http.request sends method, headers and body, and no framing", async () => {
    expect(await run("http")).toMatchObject({ status: 200, text: '{"ok":true}', headers: { "set-cookie": ["a=1", "b=2"] }, port: 8080 });
    expect(requests[0]).toMatchObject({ url: "http://example.com:8080/a/b?c=1", method: "POST", redirect: "manual" });
    expect(body(requests[0])).toBe("hällo");
    expect(requests[0]?.headers.map(([name]) => name.toLowerCase())).toEqual(["x-one", "content-type"]);
  });

  test("an https agent keeps its connections", async () => {
    expect(await run("keepAlive")).toEqual([200, 200, false, true]);
    expect(requests.map(({ url }) => url)).toEqual(["https://example.com/1", "https://example.com/2"]);
  });

  test("fetch works, with its bodies, redirects and forms", async () => {
    expect(await run("fetch")).toEqual({
      status: 200,
      type: "application/json",
      cookies: ["a=1", "b=2"],
      json: { ok: true },
      url: "https://example.com/f?x=1",
    });
    expect(requests[0]).toMatchObject({ method: "PUT", url: "https://example.com/f?x=1" });
    expect(body(requests[0])).toBe('{"a":1}');
    await run("fetchStream");
    expect(body(requests[0])).toBe("p0p1p2");
    expect(await run("fetchRedirect")).toEqual([200, true, "https://example.com/new"]);
    await run("form");
    expect(body(requests[0])).toContain('filename="f.txt"');
    expect(await run("big")).toBe(3_000_000);
    expect(await run("parallel")).toBe(20);
  });

  test("axios works, also when the answer is an error", async () => {
    expect(await run("axios")).toEqual({ status: 200, data: { ok: true } });
    expect(requests[0]?.headers).toContainEqual(["Authorization", "raw-token"]);
    expect(body(requests[0])).toBe('{"title":"t"}');
    expect(await run("axiosError")).toEqual(["AxiosError", 404, { no: 1 }]);
  });

  test("a refusal of the host looks like a refused connection and says why", async () => {
    const errors = (await run("refused")) as readonly { readonly code: string; readonly message: string }[];
    expect(errors).toHaveLength(3);
    for (const error of errors)
      expect(error).toMatchObject({ code: "ECONNREFUSED", message: expect.stringContaining("private addresses") as string });
  });

  test("bodies that are written in pieces arrive whole", async () => {
    expect(await run("streamed")).toMatchObject({ status: 200 });
    expect(body(requests[0])).toBe(`${"x".repeat(1_000_000)}end`);
    expect(await run("expectContinue")).toMatchObject({ status: 200 });
    expect(body(requests[0])).toBe("ok");
  });

  test("requests can be aborted", async () => {
    expect(await run("abort")).toMatchObject([{ name: "AbortError" }, { code: "ECONNABORTED" }]);
  });

  test("what is not HTTP fails with a clear error", async () => {
    for (const path of ["raw", "http2", "h2c", "socketPath", "upgrade"] as const)
      expect(await run(path)).toMatchObject({
        code: "EPERM",
        message: expect.stringMatching(/only HTTP(\/1\.1)? leaves the sandbox/) as string,
      });
    expect(await run("webSocket")).toBe("error");
    expect(requests).toEqual([]);
  });

  test("names get an address that leads back to the name", async () => {
    expect(await run("dns")).toEqual([4, true, 200, "ENODATA", true]);
    expect(requests[0]?.url).toBe("http://name.example.com/by-address");
  });

  test("HEAD keeps the length that the server said", async () => {
    expect(await run("head")).toEqual([200, "12345", ""]);
  });

  test("ES modules see the same network; variables of proxies are dropped", async () => {
    expect(await run("esm")).toBe(200);
    expect(await run("proxyEnv", { HTTPS_PROXY: "http://proxy:1", https_proxy: "http://proxy:1", A: "1" })).toEqual([["HOME", "A"], 200]);
    expect(requests[0]?.url).toBe("https://example.com/p");
  });

  test("requests leave when the package replaced JSON and Promise", async () => {
    expect(await run("patched")).toBe(200);
  });
});
