/** Operations of a real host, through its door: the catalogue of a schema, and every executor that comes with the host. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBundler } from "../../../cli/src/bundle/bundle.ts";
import { decodeOutput } from "./function-defined/protobuf-output.ts";
import { at, startTestHost, textAt, type Answer, type SendOptions, type TestHost } from "../doors/test/test-host.ts";

let host: TestHost;
let outside: Server;
let outsideUrl: string;

beforeAll(async () => {
  outside = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url?.startsWith("/never") === true) return;
      if (request.url === "/bytes") return void response.end(Buffer.from([0xff, 0xfe, 0x00]));
      if (request.url === "/moved") return void response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
      response.writeHead(request.url === "/missing" ? 404 : 200, { "content-type": "application/problem+json; charset=utf-8" });
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, $type: headers["content-type"] ?? null, ü: Buffer.concat(chunks).toString() }));
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const origin = `127.0.0.1:${(outside.address() as AddressInfo).port}`;
  outsideUrl = `http://${origin}`;
  host = await startTestHost({ egressAllowPrivate: [origin] });
  const bundler = createBundler(join(import.meta.dirname, "fixtures", "convex"));
  const answer = await host.send("/v1/deploy", { body: await bundler.bundle() });
  await bundler.dispose();
  expect(answer.status).toBe(200);
}, 60_000);

afterAll(async () => {
  outside.closeAllConnections();
  outside.close();
  await host.remove();
});

const run = async (name: string, input: unknown, options: SendOptions & { readonly more?: object } = {}): Promise<Answer> => {
  const { more, ...rest } = options;
  return await host.send(`/v1/operations/${encodeURIComponent(name)}/execute`, { body: { input, ...more }, ...rest });
};
/** The one value of the default port. */
const value = async (name: string, input: unknown, options?: SendOptions): Promise<unknown> => {
  const answer = await run(name, input, options);
  if (at(answer, "result", "output", "values", 0) === undefined) throw new Error(answer.text);
  return at(answer, "result", "output", "values", 0);
};

describe("the catalogue", () => {
  it("has the operations of the tables, from the deploy on, and those of the host", async () => {
    const answer = await host.send("/v1/operations");
    const names = (at(answer, "operations") as readonly { readonly name: string; readonly type: string }[]).map(({ name }) => name);
    for (const verb of ["create_account", "get_account", "update_account", "delete_account", "list_account", "create_loose"])
      expect(names).toContain(`objects/${verb}`);
    for (const native of ["plinth/http", "plinth/execute_code"]) expect(names).toContain(native);
    const triggers = await host.send("/v1/operations?type=trigger&text=account");
    expect((at(triggers, "operations") as readonly { readonly slug: string }[]).map(({ slug }) => slug).sort()).toEqual([
      "account_created",
      "account_deleted",
      "account_updated",
    ]);
    const best = await host.send("/v1/operations?text=create+account&limit=1");
    expect(at(best, "operations", 0, "name")).toBe("objects/create_account");
  });

  it("shows an operation with its schemas and its form", async () => {
    const answer = await host.send("/v1/operations/create_account");
    expect(answer).toMatchObject({
      status: 200,
      json: {
        name: "objects/create_account",
        scopes: ["account:write"],
        inputSchema: { type: "object", required: ["name", "stage"], properties: { stage: { type: "string", enum: ["lead", "customer"] } } },
        outputSchema: { required: expect.arrayContaining(["_id", "name"]) },
      },
    });
    expect(at(answer, "form", 1)).toMatchObject({ name: "stage", widget: "select", required: true });
    expect(await host.send("/v1/operations/create_nothing")).toMatchObject({ status: 404, json: { code: "OperationNotFound" } });
    expect(await host.send("/v1/operations/other%2Fhttp")).toMatchObject({ status: 404 });
  });

  it("answers the other three methods for every operation", async () => {
    const schema = await host.send("/v1/operations/create_account/schema", { body: { input: { name: "half filled in" } } });
    expect(at(schema, "inputs", 0, "schema", "required")).toEqual(["name", "stage"]);
    expect(await host.send("/v1/operations/account_created/activate", { body: {} })).toMatchObject({ json: { done: true } });
    expect(await host.send("/v1/operations/account_created/deactivate", { body: {} })).toMatchObject({ json: { done: true } });
    expect(await run("account_created", {})).toMatchObject({ status: 400, json: { code: "OperationNotExecutable" } });
  });
});

describe("ports", () => {
  it.each([
    ["create_account", { name: "A" }, "The input .stage is missing"],
    ["create_account", { name: "A", stage: "dead" }, 'The input .stage has to be one of "lead", "customer"'],
    ["create_account", { name: 1, stage: "lead" }, "The input .name has to be a text, not a number"],
    ["create_account", { name: "A", stage: "lead", Note: "x" }, "The input .Note is not a field; `note` is meant"],
    ["create_account", { name: "A", stage: "lead", address: {} }, "The input .address.city is missing"],
    ["list_account", { limit: 0 }, "The input .limit has to be at least 1"],
    ["http", { url: "http://a/", timeout_ms: 1e9 }, "The input .timeout_ms has to be at most"],
    ["http", { url: "http://a/", headers: { a: 1 } }, "The input .headers.a has to be a text"],
  ])("refuse %s of %j with the field", async (name, input, message) => {
    const answer = await run(name, input);
    expect(answer).toMatchObject({ status: 400, json: { code: "ArgumentValidation" } });
    expect(textAt(answer, "message")).toContain(message);
  });

  it("have names", async () => {
    const answer = await run("http", {}, { more: { port: "other" } });
    expect(answer).toMatchObject({ status: 400, json: { code: "PortUnknown" } });
    expect((await run("http", [])).status).toBe(400);
  });

  it("check also those who call the path itself", async () => {
    const body = { args: { input: JSON.stringify({ name: "A" }) } };
    const path = encodeURIComponent("$operation/objects/create_account");
    expect(await host.send(`/v1/functions/${path}/execute`, { body })).toMatchObject({
      status: 400,
      json: { code: "ArgumentValidation", message: expect.stringContaining(".stage is missing") },
    });
  });
});

describe("hostile input", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  it.each([
    ["nested too deep", "create_loose", `{"document":{"a":${nested(100)}}}`, 400],
    ["nested far too deep", "create_loose", `{"document":{"a":${nested(50_000)}}}`, 400],
    ["too long", "http", `{"url":"http://a/","body":"${"x".repeat(5 * 1024 * 1024)}"}`, 413],
    ["a name that is reserved", "create_loose", '{"document":{"$a":1}}', 400],
    ["a system field", "create_loose", '{"document":{"_id":"x"}}', 200],
    ["no object", "http", '"text"', 400],
  ])("%s is refused", async (_what, name, input, status) => {
    const answer = await host.send(`/v1/operations/${name}/execute`, { body: `{"input":${input}}` });
    expect(answer.status).toBe(status);
    if (status === 200) expect(at(answer, "result", "error", "type")).toBe("invalidRequest");
  });

  it("changes no prototype", async () => {
    const answer = await host.send("/v1/operations/create_loose/execute", {
      body: '{"input":{"document":{"__proto__":{"polluted":true}}}}',
    });
    expect(answer.status).toBe(200);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const own = await host.send("/v1/operations/create_account/execute", { body: '{"input":{"__proto__":{"name":"A","stage":"lead"}}}' });
    expect(own).toMatchObject({ status: 400, json: { code: "ArgumentValidation" } });
  });

  it.each([
    "$operation/http",
    "plinth/",
    "/http",
    "plinth/toString",
    "objects/__proto__",
    "objects/create_account/x",
    "x".repeat(5000),
    "\u0000",
  ])("the name %j is none", async (name) => {
    const answer = await run(name, {});
    expect(answer.status).toBe(404);
    expect(answer.text.length).toBeLessThan(1000);
  });
});

describe("operations of tables", () => {
  it("create, read, change and delete a document", async () => {
    const input = { name: "Ada", stage: "lead", employees: "9007199254740993", logo: "AQID", address: { city: "Rome" } };
    const created = (await value("create_account", input)) as { readonly _id: string };
    expect(created).toMatchObject(input);
    expect(await value("objects/get_account", { _id: created._id })).toEqual(created);
    const changed = await value("update_account", { _id: created._id, stage: "customer", employees: 7, note: null, logo: null });
    expect(changed).toMatchObject({ name: "Ada", stage: "customer", employees: "7" });
    expect(changed).not.toHaveProperty("logo");
    expect(await value("delete_account", { _id: created._id })).toEqual({ _id: created._id });
    for (const name of ["get_account", "update_account", "delete_account"]) {
      const answer = await run(name, { _id: created._id });
      expect(answer.status).toBe(200);
      expect(at(answer, "result", "error")).toMatchObject({ type: "invalidRequest", message: expect.stringContaining(created._id) });
    }
  });

  it("touch documents of their own table alone", async () => {
    const loose = (await value("create_loose", { document: { any: ["thing"] } })) as { readonly _id: string };
    expect(loose).toMatchObject({ document: { any: ["thing"] } });
    expect(at(await run("delete_account", { _id: loose._id }), "result", "error", "type")).toBe("invalidRequest");
    expect(await value("update_loose", { _id: loose._id, document: { more: null } })).toMatchObject({
      document: { any: ["thing"], more: null },
    });
  });

  it("list pages by an index, by a filter that none serves, and in both orders", async () => {
    for (const n of [1, 2, 3, 4, 5])
      await value("create_account", { name: `n${n}`, stage: n % 2 === 0 ? "lead" : "customer", note: "listed" });
    const names = async (input: object) => {
      const page = (await value("list_account", input)) as {
        readonly items: readonly { readonly name: string }[];
        readonly next_cursor?: string;
      };
      return [page.items.map(({ name }) => name), page.next_cursor] as const;
    };
    expect((await names({ filter: { stage: "lead" } }))[0]).toEqual(["n2", "n4"]);
    expect((await names({ filter: { stage: "customer", name: "n3" } }))[0]).toEqual(["n3"]);
    const [first, cursor] = await names({ filter: { stage: "customer" }, order: "desc", limit: 2 });
    expect(first).toEqual(["n5", "n3"]);
    expect(await names({ filter: { stage: "customer" }, order: "desc", limit: 2, cursor })).toEqual([["n1"], undefined]);
    const wrong = await run("list_account", { cursor: "made up" });
    expect(at(wrong, "result", "error", "type")).toBe("invalidRequest");
  });

  it("are stored and run later, once for one key", async () => {
    const more = { mode: "async", idempotencyKey: "only-once" };
    const first = await run("create_account", { name: "later", stage: "lead" }, { more });
    expect(first.status).toBe(202);
    expect(textAt(await run("create_account", { name: "later", stage: "lead" }, { more }), "id")).toBe(textAt(first, "id"));
    await expect
      .poll(async () => at(await host.send(`/v1/invocations/${textAt(first, "id")}`), "status"), { timeout: 10_000 })
      .toBe("succeeded");
    const record = await host.send(`/v1/invocations/${textAt(first, "id")}`);
    expect(at(record, "value", "output", "values", 0, "name")).toBe("later");
  });
});

describe("results in protobuf", () => {
  it("are those in JSON", async () => {
    const url = `${host.url}/v1/operations/create_loose/execute`;
    const headers = { authorization: `Bearer ${host.adminKey}`, "content-type": "application/json", accept: "application/x-protobuf" };
    const send = async (input: object) => await fetch(url, { method: "POST", headers, body: JSON.stringify({ input }) });
    const response = await send({ document: { n: 1, list: [true, null] } });
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
    expect(decodeOutput(new Uint8Array(await response.arrayBuffer()))).toMatchObject({
      kind: "output",
      ports: [{ port: "default", values: [{ document: { n: 1, list: [true, null] } }] }],
    });
    const refused = await host.send("/v1/operations/get_loose/execute", {
      body: { input: { _id: "x" } },
      headers: { accept: "application/x-protobuf" },
    });
    expect(refused.text).toContain("There is no loose with the id");
  });
});

describe("who may execute", () => {
  it("is asked of each operation: keys that call functions are not enough", async () => {
    const { key } = await host.key(["invoke"]);
    expect(await run("create_account", { name: "A", stage: "lead" }, { key })).toMatchObject({
      status: 403,
      json: { code: "OperationForbidden", message: expect.stringContaining("account:write") },
    });
    expect(await run("execute_code", { code: "1" }, { key })).toMatchObject({ status: 403 });
    expect((await host.send("/v1/operations/http/schema", { key, body: {} })).status).toBe(403);
    const deployer = await host.key(["deploy"]);
    expect((await run("list_account", {}, { key: deployer.key })).status).toBe(403);
    expect((await run("http", { url: `${outsideUrl}/` }, { key: deployer.key })).status).toBe(200);
    expect((await run("http", { url: `${outsideUrl}/` }, { key: null })).status).toBe(401);
  });
});

describe("http", () => {
  it("sends method, headers, query and body, and takes any JSON", async () => {
    const input = { url: `${outsideUrl}/a?x=1`, method: "POST", query: { y: [2, "three"] }, body: { n: 1 } };
    expect(await value("http", input)).toMatchObject({
      status: 200,
      ok: true,
      body: { method: "POST", url: "/a?x=1&y=2&y=three", $type: "application/json", ü: '{"n":1}' },
    });
    expect(await value("http", { url: `${outsideUrl}/missing` })).toMatchObject({ status: 404, ok: false });
    expect(await value("http", { url: `${outsideUrl}/bytes` })).toMatchObject({ status: 200, body_base64: "//4A" });
  });

  it.each([
    ["an address that is not public", () => ({ url: "http://169.254.169.254/latest/meta-data" }), "invalidRequest", "refused"],
    ["a redirect to one", () => ({ url: `${outsideUrl}/moved` }), "invalidRequest", "refused"],
    ["headers of the host", () => ({ url: `${outsideUrl}/`, headers: { Host: "other" } }), "invalidRequest", "set by the host"],
    ["an answer that is too long", () => ({ url: `${outsideUrl}/`, response_bytes_max: 3 }), "invalidRequest", "over the limit"],
    [
      "an answer that does not come",
      () => ({ url: `${outsideUrl}/never?secret`, timeout_ms: 50 }),
      "retryExecution",
      "no answer within 50 ms",
    ],
  ])("says no to %s", async (_what, input, type, message) => {
    const answer = await run("http", input());
    expect(answer.status).toBe(200);
    expect(at(answer, "result", "error", "type")).toBe(type);
    expect(textAt(answer, "result", "error", "message")).toContain(message);
    expect(answer.text).not.toContain("?secret");
  });
});

describe("execute_code", () => {
  it("runs code in its jail and streams what it prints", async () => {
    const answer = await run(
      "execute_code",
      { code: "print('hello')\nresult = inputs['n'] + 1", inputs: { n: 1 } },
      { headers: { accept: "application/x-ndjson" } },
    );
    const events = answer.text
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(events).toContainEqual({ event: "log", data: expect.objectContaining({ text: "hello" }) });
    expect(events.at(-1)).toMatchObject({
      event: "done",
      data: { result: { output: { values: [{ result: 2, stdout: "hello\n", truncated: false }] } } },
    });
  }, 30_000);

  it("runs JavaScript, which reaches nothing", async () => {
    const code = "console.log('sum of', inputs.length);\nawait null;\nreturn { sum: inputs.reduce((a, b) => a + b, 0) };";
    const done = await value("execute_code", { language: "javascript", code, inputs: [1, 2, 3] });
    expect(done).toEqual({ result: { sum: 6 }, stdout: "sum of 3\n", stderr: "", truncated: false });
    expect(await value("execute_code", { language: "javascript", code: "globalThis.left = 1" })).toMatchObject({ result: null });
    expect(await value("execute_code", { language: "javascript", code: "return typeof left" })).toMatchObject({ result: "undefined" });
    for (const [broken, message] of [
      ["return (", "SyntaxError"],
      ["throw new Error('no')", "no"],
      ["await fetch('https://example.com/')", "Inline code may not call `plinth/fetch`"],
      ["for (;;);", "timed out"],
    ] as const) {
      const answer = await run("execute_code", { language: "javascript", code: broken, timeout_ms: 2000 });
      expect(textAt(answer, "result", "error", "message")).toContain(message);
    }
  }, 30_000);

  it("tells what the code did wrong as its result", async () => {
    const answer = await run("execute_code", { code: "import os" });
    expect(answer.status).toBe(200);
    expect(at(answer, "result", "error", "type")).toBe("invalidRequest");
    expect(at(answer, "error", "exitCode")).toBe(3);
  }, 30_000);
});
