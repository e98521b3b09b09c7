/** Operations in a functions folder, through the catalogue and a real engine with real jails. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBundler } from "../../packages/cli/src/bundle/bundle.ts";
import type { Json, JsonObject } from "../../packages/core/src/operations/operation.ts";
import { AiEndpoints } from "../../packages/server/src/ai/ai-endpoints.ts";
import { aiDefaults } from "../../packages/server/src/ai/ai-settings.ts";
import { configWith } from "../../packages/server/src/config.ts";
import type { Actor } from "../../packages/server/src/engine/invocation.ts";
import { openFunctionDefined } from "../../packages/server/src/operations/function-defined/open-function-defined.ts";
import { openOperations } from "../../packages/server/src/operations/open-operations.ts";
import type { OperationCall, Operations } from "../../packages/server/src/operations/operations.ts";
import { openSearch } from "../../packages/server/src/search/open-search.ts";
import { removeFolder, SCOPE, startEngineHost, value, type EngineHost } from "../engine/engine-host.ts";

const ACTOR: Actor = { kind: "key", keyId: "k", scopes: ["invoke"] };

describe("operations of functions folders", () => {
  let host: EngineHost;
  let operations: Operations;

  beforeAll(async () => {
    host = await startEngineHost({ deploy: false });
    const bundler = createBundler(join(import.meta.dirname, "functions", "convex"));
    try {
      await host.deploys.deploy(SCOPE, await bundler.bundle());
    } finally {
      await bundler.dispose();
    }
    const engine = () => host.engine;
    const packages = { list: () => Promise.resolve([]), version: () => Promise.resolve(undefined) };
    const functionDefined = openFunctionDefined({ database: host.database, packages, deploys: host.deploys, engine });
    const keyrings = { keyrings: () => Promise.resolve({ secrets: {}, redact: (text: string) => text }) };
    const native = {
      runtime: host.runtime,
      ai: new AiEndpoints({ defaults: aiDefaults(configWith({})), keyrings }),
      search: openSearch(host),
    };
    operations = openOperations({ database: host.database, engine, native, functionDefined });
    await value(host, "orders:add", { number: "A1", total: 90 }, { internalAllowed: true });
  }, 120_000);
  afterAll(async () => {
    await host.stop();
    await removeFolder(host);
  });

  const call = (operation: string, input: JsonObject): OperationCall => ({
    scope: SCOPE,
    actor: ACTOR,
    operation,
    source: "native",
    input,
  });
  const execute = async (operation: string, input: JsonObject) => await operations.execute(call(operation, input));
  async function only(operation: string, input: JsonObject): Promise<Json | undefined> {
    const { result, outcome } = await execute(operation, input);
    if (outcome.status === "failed") throw outcome.error;
    if (result.kind === "error") throw new Error(result.error.message);
    return result.ports[0]?.values[0];
  }

  it("are found when they are deployed, with what they say of themselves", async () => {
    const found = await operations.find(SCOPE, "find_order");
    expect(found).toMatchObject({
      namespace: "functions",
      origin: "function",
      displayName: "Find an order",
      isAgentSkill: true,
      isWorkflowNode: true,
      effect: "read",
      timeoutMs: 20_000,
    });
    expect(found?.inputs[0]?.fields.map(({ name, fieldType, isRequired }) => [name, fieldType, isRequired])).toEqual([
      ["number", "text", true],
      ["wanted", "int", false],
      ["note", "text", false],
    ]);
    expect(await operations.find(SCOPE, "functions/zod_order")).toBeDefined();
    expect(await host.deploys.resolve(SCOPE, "orders:findOrder")).toMatchObject({ kind: "action", visibility: "internal" });
  });

  it("take plain JSON for values that JSON does not have, and call other functions", async () => {
    expect(await only("find_order", { number: "A1", wanted: "9007199254740993", note: "AAAA" })).toEqual({
      total: 90,
      wanted: "18014398509481986",
      noteBytes: 3,
    });
    expect(await only("find_order", { number: "A1" })).toMatchObject({ wanted: "2" });
  });

  it("say no with a result", async () => {
    const { result, outcome } = await execute("find_order", { number: "A2" });
    expect(result).toEqual({ kind: "error", error: { type: "invalidRequest", message: "There is no order A2." } });
    expect(outcome.status).toBe("succeeded");
  });

  it("refuse inputs that do not fit, with the field", async () => {
    await expect(execute("find_order", { number: 1 })).rejects.toMatchObject({
      code: "ArgumentValidation",
      message: expect.stringContaining(".number"),
    });
    await expect(execute("find_order", { number: "A1", other: 1 })).rejects.toMatchObject({ code: "ArgumentValidation" });
    await expect(execute("find_order", { number: "A1", wanted: "9223372036854775808" })).rejects.toMatchObject({
      code: "ArgumentValidation",
    });
  });

  it("fail where the function throws or lies", async () => {
    expect(await execute("throws", {})).toMatchObject({
      outcome: { status: "failed" },
      result: { error: { message: expect.stringContaining("It rains.") } },
    });
    expect(await execute("lies", {})).toMatchObject({ outcome: { status: "failed", error: { code: "ReturnsValidation" } } });
  });

  describe("with schemas of libraries", () => {
    const lines = [{ sku: "ab" }];

    it("show the library's JSON Schema, and get what the library makes of the input", async () => {
      const found = await operations.find(SCOPE, "zod_order");
      expect(found === undefined ? undefined : operations.inputSchema(found)).toMatchObject({
        properties: { email: { type: "string", format: "email" }, lines: { type: "array", minItems: 1 } },
        required: ["email", "lines"],
      });
      expect(await only("zod_order", { email: "a@b.de", lines, note: " x " })).toEqual({
        lines: 1,
        first: { sku: "ab", $count: 1 },
        note: "x",
      });
    });

    it("are checked by the library where JSON Schema says less", async () => {
      const wrong = await execute("zod_order", { email: "nobody", lines });
      expect(wrong).toMatchObject({
        outcome: { status: "failed", error: { code: "ArgumentValidation", message: expect.stringContaining(".email") } },
      });
      expect(wrong.result).toMatchObject({ error: { type: "invalidRequest" } });
      expect(await execute("zod_order", { email: "a@b.de", lines: [{ sku: "bad" }] })).toMatchObject({
        outcome: { error: { code: "ReturnsValidation", message: expect.stringContaining(".lines") } },
      });
    });

    it("are open where the library makes no JSON Schema", async () => {
      expect(await only("valibot_order", { number: "A12" })).toEqual({ value: 3 });
      expect((await execute("valibot_order", { number: "B" })).outcome).toMatchObject({
        error: { code: "ArgumentValidation", message: expect.stringContaining("A number begins with A.") },
      });
    });

    it("have a field `value` where they are no objects", async () => {
      expect(await only("double", { value: 4 })).toEqual({ value: "44" });
      await expect(execute("double", { value: true })).rejects.toMatchObject({ code: "ArgumentValidation" });
    });
  });

  it("answer with the fields that fit what was filled in", async () => {
    const { inputs } = await operations.schema(call("dynamic", { kind: "late" }));
    expect(inputs[0]?.fields.map(({ name }) => name)).toEqual(["kind", "until"]);
    const start = await operations.schema(call("dynamic", {}));
    expect(start.inputs[0]?.fields[0]?.allowedValues).toEqual(["late", "early"]);
    expect(await only("dynamic", { kind: "late", $odd: 1 })).toEqual({ input: { kind: "late", $odd: 1 } });
  });

  it("fail, and nothing else, where a version answers what no operation answers", async () => {
    const ports = Array.from({ length: 1000 }, () => ({ port: "default", values: [] }));
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    const answers: readonly Json[] = [
      5,
      "text",
      { output: { values: [1] } },
      { text: "{" },
      { text: deep },
      { ports },
      { misfit: { of: "output", message: {} } },
    ];
    for (const answer of answers)
      expect(await execute("hostile", { answer }), JSON.stringify(answer).slice(0, 60)).toMatchObject({
        outcome: { status: "failed", error: { code: "ReturnsValidation" } },
      });
    expect((await execute("hostile", { answer: { error: { message: 7, type: "__proto__" } } })).result).toMatchObject({
      error: { type: "unknown" },
    });
    expect((await execute("hostile", { answer: { ports: [{ port: "other", values: [] }] } })).outcome).toMatchObject({
      error: { code: "ReturnsValidation" },
    });
    const shapes = [
      {},
      { input: 1 },
      { input: { kind: "validator", validator: { type: "no" } } },
      { input: { kind: "schema", schema: { type: "object" } } },
    ];
    for (const schema of [...shapes, 5])
      expect(await operations.schema(call("hostile", { answer: { schema } }))).toMatchObject({ inputs: [{ isOpen: true }] });
    expect(await operations.schema(call("hostile", { answer: { text: "{" } }))).toMatchObject({ inputs: [{ isOpen: true }] });
    await expect(operations.activate(call("hostile", { answer: { error: "no" } }))).rejects.toMatchObject({ message: "no" });
  });

  it("run hooks of triggers, which are never executed", async () => {
    await operations.activate(call("watch", { number: "A1" }));
    await operations.deactivate(call("watch", { number: "A1" }));
    await expect(operations.activate(call("watch", { number: "A2" }))).rejects.toMatchObject({ message: "There is no such order." });
    await expect(execute("watch", { number: "A1" })).rejects.toMatchObject({ code: "OperationNotExecutable" });
  });
});
