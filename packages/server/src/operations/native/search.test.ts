/** hybrid_search, agent_knowledge_fetch and embed_text through the door of a real host. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBundler } from "../../../../cli/src/bundle/bundle.ts";
import { at, startTestHost, textAt, type Answer, type TestHost } from "../../doors/test/test-host.ts";
import { ModelServer } from "./test-model-server.ts";

let host: TestHost;
let model: ModelServer;
const ids = new Map<string, string>();
const LONG = `${"filler words here. ".repeat(400)} The reactor is cooled with molten salt. ${"more filler. ".repeat(400)}`;

beforeAll(async () => {
  model = await ModelServer.start();
  // "Meaning" in two dimensions: water, and everything else that is neither water nor fire.
  model.answer = ({ body }) => ({ vector: /rain|sea|water/.test(String(body["input"])) ? [1, 0] : [0, -1] });
  host = await startTestHost({
    egressAllowPrivate: [model.origin],
    embeddingsBaseUrl: `http://${model.origin}/v1`,
    embeddingsModel: "e",
  });
  const bundler = createBundler(join(import.meta.dirname, "..", "fixtures", "convex"));
  const bundle = await bundler.bundle();
  await bundler.dispose();
  await host.send("/v1/tenants", { body: { name: "other" } });
  for (const path of ["", "/t/other"]) expect((await host.send(`${path}/v1/deploy`, { body: bundle })).status).toBe(200);
  const documents = [
    { title: "Storm", body: "It pours all day", embedding: [1, 0] },
    { title: "Oven", body: "It burns all day", embedding: [0, 1] },
    { title: "Reactor", body: LONG, big: { $integer: "AQAAAAAAAAA=" }, kind: "plant" },
  ];
  for (const document of documents) {
    const made = await host.send("/v1/operations/create_loose/execute", { body: { input: { document } } });
    ids.set(document.title, textAt(made, "result", "output", "values", 0, "_id"));
  }
  await host.send("/v1/operations/create_account/execute", { body: { input: { name: "Molten Ltd", stage: "lead", note: "makes salt" } } });
  const theirs = await host.send("/t/other/v1/operations/create_account/execute", {
    body: { input: { name: "Their salt", stage: "lead" } },
  });
  ids.set("theirs", textAt(theirs, "result", "output", "values", 0, "_id"));
}, 60_000);

afterAll(async () => {
  model.stop();
  await host.remove();
});

async function run(operation: string, input: object, options: { readonly path?: string; readonly key?: string } = {}): Promise<Answer> {
  const { path = "", ...rest } = options;
  return await host.send(`${path}/v1/operations/${operation}/execute`, { body: { input }, ...rest });
}

function output(answer: Answer): unknown {
  const value = at(answer, "result", "output", "values", 0);
  if (value === undefined) throw new Error(answer.text);
  return value;
}

async function found(input: object, options?: { readonly path?: string }): Promise<readonly unknown[]> {
  const answer = await run("hybrid_search", input, options);
  output(answer);
  return (at(answer, "result", "output", "values", 0, "results") as readonly { readonly title?: string }[]).map(({ title }) => title);
}

describe("hybrid_search", () => {
  it("finds by meaning what has none of the words, and by words what has no vector", async () => {
    expect((await found({ query: "rain", tables: ["loose"] }))[0]).toBe("Storm");
    expect(await found({ query: "molten salt", limit: 2 })).toEqual(expect.arrayContaining(["Molten Ltd", "Reactor"]));
    const answer = await run("hybrid_search", { query: "burns", include_documents: true, limit: 1 });
    expect(output(answer)).toMatchObject({
      mode: "hybrid",
      results: [
        { table: "loose", id: ids.get("Oven"), title: "Oven", passage: "It burns all day", document: { body: "It burns all day" } },
      ],
    });
    expect(answer.text).not.toContain("embedding");
  });

  it("shows the passage that fits, and documents as of now", async () => {
    const answer = output(await run("hybrid_search", { query: "molten", filters: { kind: "plant" } })) as {
      readonly results: readonly { readonly passage: string }[];
    };
    expect(answer.results).toHaveLength(1);
    expect(answer.results[0]?.passage).toContain("molten salt");
    expect(answer.results[0]?.passage.length).toBeLessThan(800);
    await run("update_account", { _id: "x" });
    await run("create_account", { name: "Later", stage: "lead", note: "molten too" });
    expect(await found({ query: "molten", tables: ["accounts"] })).toContain("Later");
  });

  it("goes on with words when the endpoint does not answer", async () => {
    const before = model.answer;
    model.answer = () => ({ status: 500, raw: "" });
    try {
      expect(output(await run("hybrid_search", { query: "pours" }))).toMatchObject({ mode: "text", results: [{ title: "Storm" }] });
    } finally {
      model.answer = before;
    }
  });

  it("refuses what is no search, in words", async () => {
    for (const input of [
      {},
      { query: "x", tables: ["nowhere"] },
      { query: "x", tables: ["_storage"] },
      { query: "x", filters: { _id: "x" } },
      { query: "x", filters: { kind: { $ne: 1 } } },
      { query: "x", vector: [1, 2, 3] },
      { vector: [0, 0] },
      { query: "x", limit: 1e6 },
    ])
      expect(at(await run("hybrid_search", input), "result", "output")).toBeUndefined();
  });
});

describe("agent_knowledge_fetch", () => {
  it("reads documents by id and by question within its tokens", async () => {
    const reactor = ids.get("Reactor");
    const answer = output(
      await run("agent_knowledge_fetch", { ids: [reactor, "nonsense", ids.get("Oven")], query: "molten", max_tokens: 100 }),
    );
    expect(answer).toMatchObject({
      items: [
        { id: reactor, is_cut: true },
        { title: "Oven", passages: ["It burns all day"], is_cut: false },
      ],
      missing: ["nonsense"],
    });
    const text = JSON.stringify(answer);
    expect(text.length).toBeLessThan(1000);
    expect(output(await run("agent_knowledge_fetch", { query: "reactor cooled", limit: 1 }))).toMatchObject({
      items: [{ id: reactor, title: "Reactor", passages: [expect.stringContaining("molten salt")] }],
    });
    const whole = output(await run("agent_knowledge_fetch", { ids: [reactor], max_tokens: 32_000 }));
    expect(whole).toMatchObject({ items: [{ is_cut: false }] });
    expect(at(await run("agent_knowledge_fetch", {}), "result", "output")).toBeUndefined();
  });
});

describe("who may see what", () => {
  it("another tenant's documents are in no search and behind no id", async () => {
    expect(await found({ query: "their salt", tables: ["accounts"] })).not.toContain("Their salt");
    expect(await found({ query: "molten salt pours" }, { path: "/t/other" })).toEqual(["Their salt"]);
    expect(output(await run("agent_knowledge_fetch", { ids: [ids.get("theirs")] }))).toMatchObject({
      items: [],
      missing: [ids.get("theirs")],
    });
  });

  it("a key that is no admin's sees no table, by search or by id", async () => {
    const { key } = await host.key(["deploy"]);
    expect(at(await run("hybrid_search", { query: "molten" }, { key }), "result", "output", "values", 0, "results")).toEqual([]);
    expect(at(await run("hybrid_search", { query: "molten", tables: ["accounts"] }, { key }), "result", "output")).toBeUndefined();
    expect(output(await run("agent_knowledge_fetch", { ids: [ids.get("Oven")] }, { key }))).toMatchObject({
      items: [],
      missing: [ids.get("Oven")],
    });
    const { key: invoke } = await host.key(["invoke"]);
    expect((await run("hybrid_search", { query: "molten" }, { key: invoke })).status).toBe(403);
  });
});

it("embed_text makes the vector", async () => {
  expect(output(await run("embed_text", { text: "the sea" }))).toEqual({ vector: [1, 0] });
});
