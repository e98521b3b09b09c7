/** The gRPC door, called by the official gRPC client, and its JSON form. */
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../../protobuf/_generated/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../protobuf/_generated/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as Alpha } from "../../protobuf/_generated/grpc/reflection/v1alpha/reflection_pb.js";
import { FunctionService } from "../../protobuf/_generated/plinth/v1/functions_pb.js";
import { GrpcClient } from "../test/grpc-client.ts";
import { deployApp, startTestHost, textAt, type TestHost } from "../test/test-host.ts";

const { execute, resolve, executeOperation, executeSchemaHandler, executeActivateHook, executeDeactivateHook } = FunctionService.method;

let host: TestHost;
let client: GrpcClient;

beforeAll(async () => {
  host = await startTestHost({ grpcPort: 0, userCpuMs: 30_000 });
  await deployApp(host);
  client = new GrpcClient(host.grpcAddress ?? "", host.adminKey);
}, 60_000);
afterAll(async () => {
  client?.close();
  await host?.remove();
});

describe("functions", () => {
  it("executes one and tells what happens", async () => {
    const events = await client.call(execute, [{ function: "messages:send", args: { author: "ada", text: "hello" } }]);
    const cases = events.map(({ event }) => event.case);
    expect(cases.at(-1)).toBe("result");
    expect(cases).toContain("log");
    const last = events.at(-1)?.event;
    if (last?.case !== "result") throw new Error("no result");
    expect(last.value.value?.kind.case).toBe("stringValue");
    expect(last.value.invocation).toMatchObject({ function: "messages:send", exitCode: 0 });
    expect(last.value.invocation?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("tells the result alone to those who want no more", async () => {
    const events = await client.call(execute, [{ function: "messages:echo", args: { value: 1 }, resultOnly: true }]);
    expect(events.map(({ event }) => event.case)).toEqual(["result"]);
  });

  it("refuses numbers that JSON does not have, in place of null", async () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const value of [number, [number], { deep: number }])
        await expect(client.call(execute, [{ function: "messages:echo", args: { value } }])).rejects.toMatchObject({
          code: status.INVALID_ARGUMENT,
          info: { reason: "InvalidValue" },
        });
    const [event] = await client.call(execute, [{ function: "messages:echo", args: { value: [-0.5, 1e300] }, resultOnly: true }]);
    expect(event?.event.case).toBe("result");
  });

  it("answers a failure of user code as a result", async () => {
    const events = await client.call(execute, [{ function: "messages:refuse", args: { text: "x" } }]);
    const last = events.at(-1)?.event;
    if (last?.case !== "result") throw new Error("no result");
    expect(last.value.value).toBeUndefined();
    expect(last.value.invocation).toMatchObject({ exitCode: 1, failure: { code: "FunctionError", fault: "function", retry: "never" } });
    expect(JSON.stringify(last.value.invocation?.failure?.data)).toContain("refused");
  });

  it("stores asynchronous ones, which run later", async () => {
    const [event] = await client.call(execute, [
      { function: "messages:echo", args: { value: 7 }, asynchronous: true, idempotencyKey: "once" },
    ]);
    if (event?.event.case !== "queued") throw new Error("not queued");
    const { id } = event.event.value;
    await expect
      .poll(async () => (await host.send(`/v1/invocations/${id}`)).json, { timeout: 10_000 })
      .toMatchObject({ state: "succeeded", value: 7 });
  });

  it("keeps the caller's trace", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const events = await client.call(execute, [{ function: "messages:echo", args: { value: 1 } }], {
      metadata: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    expect(events.at(-1)?.event.value).toMatchObject({ invocation: { traceId } });
  });

  it("resolves names", async () => {
    const { target } = await client.one(resolve, { target: { case: "function", value: "messages:send" } });
    expect(target).toMatchObject({
      case: "function",
      value: { path: "messages:send", kind: "mutation", visibility: "public", branch: "main" },
    });
    const failure = await client.failure(resolve, { target: { case: "function", value: "messages:none" } });
    expect(failure).toMatchObject({ code: status.NOT_FOUND, info: { reason: "FunctionNotFound", domain: "plinth" } });
    expect(await client.failure(resolve, {})).toMatchObject({ code: status.INVALID_ARGUMENT, info: { reason: "BadRequest" } });
  });

  it("F2 ends a call at its deadline, and when its client cancels it", async () => {
    const late = await client.failure(execute, { function: "messages:pause", args: { ms: 20_000 } }, { deadlineMs: 400 });
    expect(late.code).toBe(status.DEADLINE_EXCEEDED);
    const cancelled = await client.failure(execute, { function: "messages:pause", args: { ms: 20_001 } }, { cancelAfter: 1 });
    expect(cancelled.code).toBe(status.CANCELLED);
    // Nothing runs on behind their backs.
    await expect.poll(async () => (await host.send("/metrics")).text, { timeout: 8000 }).toMatch(/^plinth_running_actions 0$/m);
  });
});

describe("operations", () => {
  it("executes one, native or of a table", async () => {
    const { output, invocation } = await client.one(executeOperation, {
      operation: "objects/create_message",
      input: { author: "grace", text: "by operation" },
    });
    expect(output?.error).toBeUndefined();
    expect(invocation).toMatchObject({ exitCode: 0 });
  });

  it("tells what is wrong with a call as HTTP does", async () => {
    for (const [request, code, reason, httpStatus] of [
      [{ operation: "nowhere/nothing" }, status.NOT_FOUND, "OperationNotFound", 404],
      [{ operation: "http", input: { url: 7 } }, status.INVALID_ARGUMENT, "ArgumentValidation", 400],
      [{ operation: "http", port: "side door" }, status.INVALID_ARGUMENT, "PortUnknown", 400],
    ] as const) {
      expect(await client.failure(executeOperation, request)).toMatchObject({ code, info: { reason } });
      const answer = await host.send(`/v1/operations/${encodeURIComponent(request.operation)}/execute`, {
        body: { input: {}, ...request },
      });
      expect([answer.status, textAt(answer, "code")]).toEqual([httpStatus, reason]);
    }
  });

  it("has the other three methods", async () => {
    const input = { url: "https://example.com" };
    const schema = await client.one(executeSchemaHandler, { operation: "http", input });
    expect(schema.inputs[0]?.fields.map((field) => field["name"])).toContain("url");
    await client.one(executeActivateHook, { operation: "http", input });
    await client.one(executeDeactivateHook, { operation: "http", input });
    const { target } = await client.one(resolve, { target: { case: "operation", value: "http" } });
    expect(target).toMatchObject({ case: "operation", value: { slug: "http", type: "action", inputSchema: { type: "object" } } });
  });
});

describe("who may", () => {
  it("refuses calls without a key, with a wrong one, and of keys that may not", async () => {
    const read = await host.key(["read"]);
    const request = { function: "messages:list" };
    for (const [key, code, reason] of [
      ["", status.UNAUTHENTICATED, "Unauthenticated"],
      ["plk_wrong", status.UNAUTHENTICATED, "Unauthenticated"],
      [read.key, status.PERMISSION_DENIED, "Forbidden"],
    ] as const)
      expect(await client.failure(execute, request, { key })).toMatchObject({ code, info: { reason } });
  });

  it("hides internal functions and other tenants, and asks for the key of a branch", async () => {
    const { key } = await host.key(["invoke"]);
    expect(await client.failure(execute, { function: "messages:hidden" }, { key })).toMatchObject({ code: status.NOT_FOUND });
    expect(await client.failure(execute, { function: "messages:list" }, { key, metadata: { "x-plinth-tenant": "other" } })).toMatchObject({
      code: status.NOT_FOUND,
    });
    expect(await client.failure(execute, { function: "messages:list" }, { metadata: { "x-plinth-branch": "dev" } })).toMatchObject({
      code: status.PERMISSION_DENIED,
      info: { reason: "BranchAccessDenied" },
    });
  });
});

describe("bounds", () => {
  it("refuses messages over the limit, and those that hold too much", async () => {
    const large = await client.failure(execute, { function: "messages:echo", args: { value: "x".repeat(41 * 1024 * 1024) } });
    expect(large).toMatchObject({ code: status.RESOURCE_EXHAUSTED, info: { reason: "RequestTooLarge" } });
    expect(large.details).toContain("The message has more bytes and may have 41943040 bytes.");
    // Without a look at it before it is parsed, the unknown name would be what is wrong.
    const many = await client.failure(executeOperation, {
      operation: "nowhere/nothing",
      input: { value: Array.from({ length: 500_000 }, () => null) },
    });
    expect(many).toMatchObject({ code: status.RESOURCE_EXHAUSTED, info: { reason: "TooManyValues" } });
    expect((await client.call(execute, [{ function: "messages:count" }])).length).toBeGreaterThan(0);
  }, 60_000);

  it("passes large arguments and results", async () => {
    const value = "y".repeat(10 * 1024 * 1024);
    const events = await client.call(execute, [{ function: "messages:echo", args: { value } }]);
    const last = events.at(-1)?.event;
    if (last?.case !== "result" || last.value.value?.kind.case !== "stringValue") throw new Error("no result");
    expect(last.value.value.kind.value.length).toBe(value.length);
  }, 60_000);
});

describe("hostile connections", () => {
  it("G1 survives what is no gRPC, and goes on to answer", async () => {
    const address = host.grpcAddress ?? "";
    const [name = "", port = ""] = address.split(":");
    const old = await new Promise<string>((resolve) => {
      const socket = connectSocket(Number(port), name, () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", () => resolve("error")).on("close", () => resolve(text));
    });
    expect(old).not.toContain("200 OK");
    const path = "/plinth.v1.FunctionService/Execute";
    for (const headers of [
      { ":path": path, ":method": "POST", ":authority": "a b:%%%", "content-type": "application/grpc" },
      { ":path": "//[::", ":method": "POST", "content-type": "application/grpc" },
      { ":path": path, ":method": "POST", "content-type": "application/grpc", "grpc-timeout": "1x" },
      { ":path": path, ":method": "POST", "content-type": "application/grpc", authorization: "Bearer" },
      { ":path": path, ":method": "GET" },
    ])
      await rawCall(address, headers, Buffer.from([0, 255, 255, 255, 255, 1]));
    const call = { ":path": path, ":method": "POST", "content-type": "application/grpc", authorization: `Bearer ${host.adminKey}` };
    // A frame that announces more than may come, two messages for one, and bytes that are none.
    expect((await rawCall(address, call, Buffer.from([0, 255, 255, 255, 255, 1])))["grpc-status"]).toBe("8");
    expect((await rawCall(address, call, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0])))["grpc-status"]).toBe("3");
    expect((await rawCall(address, call, Buffer.from([0, 0, 0, 0, 2, 0x12, 0x7f])))["grpc-status"]).toBe("3");
    expect(await client.one(Health.method.check, {})).toMatchObject({ status: HealthCheckResponse_ServingStatus.SERVING });
  }, 30_000);
});

/** The head and the trailers of the answer to bytes that no client would send. */
async function rawCall(address: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<IncomingHttpHeaders> {
  const session = connectHttp2(`http://${address}`);
  session.on("error", () => undefined);
  try {
    return await new Promise((resolve) => {
      let got: IncomingHttpHeaders = {};
      const stream = session.request(headers);
      stream.on("response", (head) => (got = { ...got, ...head }));
      stream.on("trailers", (trailers) => (got = { ...got, ...trailers }));
      stream.on("error", () => undefined);
      stream.on("close", () => resolve(got));
      stream.resume();
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

describe("health and reflection", () => {
  it("answers without a key", async () => {
    expect(await client.one(Health.method.check, {}, { key: "" })).toMatchObject({ status: HealthCheckResponse_ServingStatus.SERVING });
    expect((await client.failure(Health.method.check, { service: "none" }, { key: "" })).code).toBe(status.NOT_FOUND);
    const watched = await client.failure(Health.method.watch, { service: "plinth.v1.FunctionService" }, { cancelAfter: 1 });
    expect(watched.code).toBe(status.CANCELLED);
  });

  it("describes the services, to old clients too", async () => {
    for (const { serverReflectionInfo: method } of [ServerReflection.method, Alpha.method]) {
      const [list, file, none] = await client.call(
        method,
        [
          { messageRequest: { case: "listServices", value: "" } },
          { messageRequest: { case: "fileContainingSymbol", value: "plinth.v1.FunctionService.Execute" } },
          { messageRequest: { case: "fileByFilename", value: "none.proto" } },
        ],
        { key: "" },
      );
      expect(JSON.stringify(list?.messageResponse)).toContain("plinth.v1.FunctionService");
      expect(none?.messageResponse.case).toBe("errorResponse");
      if (file?.messageResponse.case !== "fileDescriptorResponse") throw new Error("no descriptors");
      const files = file.messageResponse.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      const names = files.map(({ name }) => name);
      expect(names).toContain("plinth/v1/functions.proto");
      for (const { dependency } of files) for (const name of dependency) expect(names).toContain(name);
    }
  });
});

describe("the JSON form", () => {
  const path = (method: string) => `/plinth.v1.FunctionService/${method}`;

  it("answers the same on the API's port", async () => {
    const answer = await host.send(path("Resolve"), { body: { function: "messages:send" } });
    expect(answer).toMatchObject({ status: 200, json: { function: { path: "messages:send", kind: "mutation" } } });
    const refused = await host.send(path("Resolve"), { body: { function: "messages:send" }, key: null });
    expect(refused).toMatchObject({ status: 401, json: { code: "unauthenticated" } });
    expect(refused.text).toContain("google.rpc.ErrorInfo");
    expect(await host.send(path("Nothing"), { body: {} })).toMatchObject({ status: 404 });
    expect(await host.send(path("Resolve"), { body: "{" })).toMatchObject({ status: 400 });
  });

  it("streams what happens", async () => {
    const message = Buffer.from(JSON.stringify({ function: "messages:echo", args: { value: "hello" } }));
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    const answer = await host.send(path("Execute"), { body, headers: { "content-type": "application/connect+json" } });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"value":"hello"');
  });

  it("Q1 counts the values of compressed messages before they are parsed", async () => {
    const bomb = gzipSync(`{"function":"messages:send","x":[${"0,".repeat(1_000_000)}0]}`);
    const answer = await host.send(path("Resolve"), { body: bomb, headers: { "content-encoding": "gzip" } });
    expect(answer).toMatchObject({ status: 429, json: { code: "resource_exhausted" } });
    const deep = await host.send(path("Resolve"), { body: `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}` });
    expect(deep).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
  });
});
