/** What a hostile client sends: each gets its code, its status and advice, and changes nothing. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, bundleApp, deployApp, startTestHost, textAt, type Answer, type TestHost } from "./test/test-host.ts";

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
  await deployApp(host);
});

afterAll(async () => await host.remove());

function expectRefusal(answer: Answer, status: number, code: string): void {
  expect([answer.status, at(answer, "code")]).toEqual([status, code]);
  expect(textAt(answer, "message")).not.toBe("");
  expect(textAt(answer, "next")).not.toBe("");
  expect(Object.keys(answer.json as object).sort()).toEqual(["code", "message", "next"]);
  expect(answer.text).not.toMatch(/\/packages\/|node_modules|at .*\.ts:|\.plinth|plinth-doors/);
}

describe("bodies", () => {
  const query = (body: string | Uint8Array, headers: Record<string, string> = {}) => host.send("/api/query", { key: null, body, headers });

  it.each<[string, string | Uint8Array, number, string]>([
    ["nothing", "", 400, "MalformedJson"],
    ["broken JSON", '{"path":', 400, "MalformedJson"],
    ["two values", "{}{}", 400, "MalformedJson"],
    ["no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "MalformedJson"],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), 400, "MalformedJson"],
    ["an array", "[]", 400, "BadRequest"],
    ["a text", '"x"', 400, "BadRequest"],
    ["null", "null", 400, "BadRequest"],
    ["M18: too deep", "[".repeat(100_000), 400, "TooDeep"],
    ["M18: too deep within its envelope", `{"path":"messages:echo","args":{"value":${"[".repeat(97)}${"]".repeat(97)}}}`, 400, "TooDeep"],
    ["M18: many small values", `{"path":"messages:echo","args":{"value":[${"{},".repeat(5_000_000)}{}]}}`, 413, "TooManyValues"],
    ["M18: many strings", '""'.repeat(7_500_000), 413, "TooManyValues"],
    ["M18: too large", `{"path":"${"x".repeat(25 * 1024 * 1024)}"}`, 413, "RequestTooLarge"],
    [
      "arguments that are too large",
      JSON.stringify({ path: "messages:echo", args: { value: "x".repeat(17 * 1024 * 1024) } }),
      413,
      "RequestTooLarge",
    ],
  ])("%s", async (_name, body, status, code) => {
    expectRefusal(await query(body), status, code);
  });

  it.each<[string, unknown]>([
    ["path", { path: 1 }],
    ["path", { args: {} }],
    ["args", { path: "messages:echo", args: "x" }],
    ["args", { path: "messages:echo", args: [{}, {}] }],
    ["format", { path: "messages:echo", format: "xml" }],
  ])("names the field `%s` when it has the wrong type", async (field, body) => {
    const answer = await host.send("/api/query", { key: null, body });
    expectRefusal(answer, 400, "BadRequest");
    expect(textAt(answer, "message")).toContain(`\`${field}\``);
  });

  it("M17: is read as nothing but JSON", async () => {
    const form = '--b\r\nContent-Disposition: form-data; name="path"\r\n\r\nmessages:list\r\n--b--\r\n';
    expectRefusal(await query(form, { "content-type": "multipart/form-data; boundary=b" }), 400, "BadRequest");
    expectRefusal(await query('{"path":"messages:list"}', { "content-type": "text/html" }), 400, "BadRequest");
    expectRefusal(await query("{}", { "content-type": ";;;" }), 400, "BadRequest");
  });

  it("M18: many keys are refused by the limits of values, and cost no more than their size", async () => {
    const value = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 0]));
    expectRefusal(await query(JSON.stringify({ path: "messages:echo", args: { value } })), 400, "InvalidValue");
  });

  it("H09: has no power over prototypes", async () => {
    const answer = await query(
      '{"path":"messages:echo","args":{"value":{"a":1}},"__proto__":{"format":"convex_encoded_json"},"constructor":{"prototype":{"x":1}}}',
    );
    expect(answer).toMatchObject({ status: 200, json: { value: { a: 1 } } });
    expect(Reflect.get({}, "x")).toBeUndefined();
  });

  it("M18: an endless chunked body is cut at the limit", async () => {
    const { text } = await raw((socket) => {
      socket.write("POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
      const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    expect(text).toMatch(/^HTTP\/1\.1 413/);
  });

  it("a stranger's deploy is refused before its body is read", async () => {
    const { text, sentBytes } = await raw((socket) => {
      socket.write("POST /v1/deploy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40000000\r\n\r\n");
    });
    expect(text).toMatch(/^HTTP\/1\.1 401/);
    expect(sentBytes).toBeLessThan(1000);
  });

  it.each([
    ["POST", "/nothing", 404],
    ["PUT", "/t/default/nothing", 404],
    ["OPTIONS", "/api/query", 204],
    ["PUT", "/api/query", 405],
  ])("M18: %s %s is answered before its body is read", async (method, path, status) => {
    const { text, sentBytes } = await raw((socket) => {
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{`);
      setTimeout(() => socket.destroy(), 30_000).unref();
    });
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`));
    expect(sentBytes).toBeLessThan(1000);
  });
});

describe("heads", () => {
  it("M18: too many query parameters", async () => {
    expectRefusal(await host.send(`/api/query?${"a=1&".repeat(5000)}`, { key: null }), 413, "RequestTooLarge");
  });

  it("M18: too many or too large headers", async () => {
    expectRefusal(
      await host.send("/healthz", { key: null, headers: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-${i}`, "1"])) }),
      413,
      "RequestTooLarge",
    );
    expectRefusal(await host.send("/healthz", { key: null, headers: { "x-big": "x".repeat(40_000) } }), 413, "RequestTooLarge");
  });

  it.each(["/%", "/%E0%A4%A", "/v1/functions/%FF/execute"])("the URL %s", async (path) => {
    expectRefusal(await host.send(path, { method: "POST" }), 400, "BadRequest");
  });

  it.each(["/nothing", "/t/", "/t/default", "/t/default/nothing", "//", "/v1/functions/a/b/c/execute"])("the path %s", async (path) => {
    expectRefusal(await host.send(path), 404, "NotFound");
  });

  it.each([
    "/t/no-such/healthx",
    "/t/..%2fdefault/v1/functions",
    "/t/%64efault/v1/functions",
    "/t/DEFAULT/v1/functions",
    "/t/$platform/v1/functions",
  ])("the tenant of %s", async (path) => {
    expectRefusal(await host.send(path), 404, "NotFound");
  });

  it("other methods", async () => {
    const answer = await host.send("/v1/deploy");
    expectRefusal(answer, 405, "MethodNotAllowed");
    expect(answer.headers.get("allow")).toBe("POST");
  });

  it.each([
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer a b",
    "Convex",
    "Bearer plk_0000000000000000_0000000000000000000000000000000000000000000",
    "Bearer \u00ff",
  ])("the credential '%s'", async (authorization) => {
    for (const path of ["/v1/functions", "/api/query?path=messages:list"]) {
      expectRefusal(await host.send(path, { key: null, headers: { authorization } }), 401, "Unauthenticated");
    }
  });

  it.each([
    ["not base64 of JSON", "%%%"],
    ["no object", Buffer.from("[]").toString("base64")],
    ["no subject", Buffer.from("{}").toString("base64")],
  ])("an identity that is %s", async (_name, identity) => {
    const answer = await host.send("/api/query", {
      key: null,
      headers: { authorization: `Convex ${host.adminKey}:${identity}` },
      body: { path: "messages:whoami", args: {} },
    });
    expectRefusal(answer, 400, "BadRequest");
  });

  it("what is not HTTP", async () => {
    const { text } = await raw((socket) => socket.write("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"));
    expect(text).toMatch(/^HTTP\/1\.1 400/);
    const smuggled = await raw((socket) =>
      socket.write(
        "POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
      ),
    );
    expect(smuggled.text).toMatch(/^HTTP\/1\.1 400/);
    expect(smuggled.text).not.toContain('"status":"ok"');
  });
});

describe("ids", () => {
  it.each(["x", "../../x", "0".repeat(32), "f".repeat(10_000), "%00"])("of invocations that are forged: %s", async (id) => {
    expectRefusal(await host.send(`/v1/invocations/${encodeURIComponent(id)}`), 404, "NotFound");
    expectRefusal(await host.send(`/v1/invocations/${encodeURIComponent(id)}`, { method: "DELETE" }), 404, "NotFound");
  });

  it.each(["", "a".repeat(5000), "a:b:c", "../a:b", "__proto__:constructor", "messages:constructor", "messages:__proto__", "\u0000:a"])(
    "of functions that are none: %j",
    async (path) => {
      const answer = await host.send(`/v1/functions/${encodeURIComponent(path)}/execute`, { body: {} });
      expect([400, 404]).toContain(answer.status);
      expectRefusal(answer, answer.status, textAt(answer, "code"));
    },
  );

  it.each<[string, unknown]>([
    ["priority", { priority: "now" }],
    ["mode", { mode: "later" }],
    ["deadlineMs", { deadlineMs: -1 }],
    ["deadlineMs", { deadlineMs: "soon" }],
    ["idempotency key", { idempotencyKey: "x".repeat(1000) }],
    ["idempotency key", { idempotencyKey: "" }],
  ])("the option %s", async (name, body) => {
    const answer = await host.send("/v1/functions/messages:count/execute", { body });
    expectRefusal(answer, 400, "BadRequest");
    expect(textAt(answer, "message")).toContain(name);
  });
});

describe("deploys", () => {
  it.each<[string, unknown, number, string]>([
    ["no script", {}, 400, "BadRequest"],
    ["a script of the wrong type", { script: 1 }, 400, "BadRequest"],
    ["a source map of the wrong type", { script: "1", sourceMap: 1 }, 400, "BadRequest"],
    ["a note that is too long", { script: "1", note: "x".repeat(5000) }, 413, "RequestTooLarge"],
    ["a script that is too large", { script: "x".repeat(17 * 1024 * 1024) }, 413, "RequestTooLarge"],
    ["half a character", { script: "'\ud800'" }, 400, "BadRequest"],
    ["no JavaScript", { script: "this is no code" }, 400, "InvalidPackage"],
    ["code that declares nothing", { script: "1" }, 400, "InvalidPackage"],
    ["code that throws", { script: "throw new Error('no')" }, 400, "InvalidPackage"],
    ["A02: code that never ends", { script: "for (;;);" }, 400, "InvalidPackage"],
    ["wrong source map text", { script: "globalThis.__plinthModules = {}", sourceMap: 7 }, 400, "BadRequest"],
  ])("%s", async (_name, body, status, code) => {
    expectRefusal(await host.send("/v1/deploy", { body }), status, code);
    expect(at(await host.send("/api/query", { key: null, body: { path: "messages:count", args: {} } }), "status")).toBe("success");
  });
});

it("K08: a version is named by its bytes, whatever its sender calls it", async () => {
  const { script } = await bundleApp();
  const wanted = { script: `${script}\n// K08`, digest: "0".repeat(64), version: "0".repeat(64), dryRun: true };
  const answer = await host.send("/v1/deploy", { body: wanted });
  expect(at(answer, "version")).toBe(createHash("sha256").update(wanted.script).digest("hex"));
});

/** Speaks to the host byte by byte; resolves when it closes the connection or has answered. */
function raw(speak: (socket: ReturnType<typeof connect>) => unknown): Promise<{ text: string; sentBytes: number }> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(host.url);
    const socket = connect({ host: hostname, port: Number(port) }, () => speak(socket));
    let text = "";
    const end = () => {
      resolve({ text, sentBytes: socket.bytesWritten });
      socket.destroy();
    };
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (text.includes("\r\n\r\n")) setTimeout(end, 20);
    });
    socket.on("error", end);
    socket.on("close", end);
  });
}
