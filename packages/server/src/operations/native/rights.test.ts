/** Who may search which tables, and who may name a keyring: the operations themselves, with a real database. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AiEndpoints } from "../../ai/ai-endpoints.ts";
import { aiDefaults } from "../../ai/ai-settings.ts";
import { configWith } from "../../config.ts";
import { deploySchema, newScope, openTestDatabase, schemaText, write, type TestDatabase } from "../../database/test-database.ts";
import type { NativeContext } from "../../engine/native-code.ts";
import type { Actor, InvocationSource } from "../../engine/invocation.ts";
import { openSearch } from "../../search/open-search.ts";
import type { Search } from "../../search/search.ts";
import { agentKnowledgeFetch } from "./agent-knowledge-fetch.ts";
import { askAi } from "./ask-ai.ts";
import { hybridSearch } from "./hybrid-search.ts";
import type { NativeOperation, NativeParts } from "./native-operation.ts";

const KEY = "sk-secret-of-the-branch";
const scope = newScope();
const delivered: string[] = [];
let test: TestDatabase;
let search: Search;
let parts: NativeParts;
let ticket = "";

beforeAll(async () => {
  test = await openTestDatabase();
  search = openSearch(test);
  const keyrings = {
    keyrings: async (_: unknown, names: readonly string[]) => {
      delivered.push(...names);
      return await Promise.resolve({ secrets: Object.fromEntries(names.map((name) => [name, KEY])), redact: (text: string) => text });
    },
  };
  parts = { runtime: test.runtime, search, ai: new AiEndpoints({ defaults: aiDefaults(configWith({})), keyrings }) };
  await deploySchema(test.database, scope, schemaText({ tickets: {}, salaries: {} }, false));
  ticket = await write(test.database, scope, (calls) => calls.insert("tickets", { title: "lamp broken" }));
  await write(test.database, scope, (calls) => calls.insert("salaries", { title: "lamp maker earns much" }));
  await write(test.database, scope, (calls) => calls.insert("undeclared", { title: "lamp of nobody" }));
});

afterAll(async () => {
  search.close();
  await test.close();
});

const service = (...objectScopes: string[]): Actor => ({
  kind: "service",
  scopes: [],
  service: { account: "a", snapInId: "s", user: null, objectScopes },
});
const ADMIN: Actor = { kind: "key", scopes: ["admin"] };

function contextOf(actor: Actor, source: InvocationSource = "native"): NativeContext {
  return {
    scope,
    request: { ...scope, actor, source, path: "", internalAllowed: true, argsText: "{}", priority: "normal" },
    invocation: "i",
    args: {},
    nowMs: 0,
    signal: new AbortController().signal,
    log: () => undefined,
    emit: () => undefined,
    fetch: () => Promise.reject(new Error("nothing is sent here")),
    call: () => Promise.reject(new Error("nothing is called here")),
  };
}

async function tablesFound(actor: Actor, more: { readonly grants?: readonly string[]; readonly input?: object } = {}): Promise<unknown> {
  const { input = {}, grants } = more;
  const call = { port: "default", input: { query: "lamp", ...input }, ...(grants === undefined ? {} : { grants }) };
  return await valuesOf(hybridSearch(parts), actor, call);
}

async function valuesOf(operation: NativeOperation, actor: Actor, call: Parameters<NativeOperation["run"]>[1]): Promise<unknown> {
  const result = await operation.run(contextOf(actor), call);
  const [value] = result.kind === "output" ? (result.ports[0]?.values ?? []) : [];
  const found = value?.["results"] ?? value?.["items"];
  return (found as readonly { readonly table: string }[]).map(({ table }) => table).sort((a, b) => (a < b ? -1 : 1));
}

describe("a search finds what its caller may read", () => {
  it("all for an admin key and the branch's own code", async () => {
    const all = ["salaries", "tickets", "undeclared"];
    expect(await tablesFound(ADMIN)).toEqual(all);
    expect(await tablesFound({ kind: "function", scopes: [] })).toEqual(all);
    expect(await tablesFound({ kind: "schedule", scopes: [] })).toEqual(all);
  });

  it("what the scopes of a service account say, and no more than those of the call", async () => {
    expect(await tablesFound(service("ticket:read"))).toEqual(["tickets"]);
    expect(await tablesFound(service("ticket:write", "salary:update"))).toEqual(["tickets"]);
    expect(await tablesFound(service("ticket:read", "undeclared:read", "null:all"))).toEqual(["tickets"]);
    expect(await tablesFound(service("ticket:read", "salary:all"), { grants: ["salary:read"] })).toEqual(["salaries"]);
    expect(await tablesFound(ADMIN, { grants: ["ticket:read"] })).toEqual(["tickets"]);
    expect(await tablesFound(ADMIN, { grants: [] })).toEqual([]);
  });

  it("nothing for others, and names tell nothing", async () => {
    for (const actor of [service(), { kind: "anonymous", scopes: [] }, { kind: "key", scopes: ["invoke", "deploy", "read"] }] as const) {
      expect(await tablesFound(actor)).toEqual([]);
      const refused = async (table: string) =>
        await tablesFound(actor, { input: { tables: [table] } }).catch((error: Error) => error.message.replace(table, "…"));
      expect(await refused("salaries")).toBe(await refused("nowhere"));
    }
    const byId = { port: "default", input: { ids: [ticket] } };
    expect(await valuesOf(agentKnowledgeFetch(parts), service("salary:all"), byId)).toEqual([]);
    expect(await valuesOf(agentKnowledgeFetch(parts), service("ticket:read"), byId)).toEqual(["tickets"]);
  });
});

describe("A5 a keyring is not named by those whose inputs a model chooses", () => {
  const call = { port: "default", input: { prompt: "x", model: "m", keyring: "github", base_url: "https://example.com" } };

  it.each([
    ["an agent", ADMIN, "agentSkill"],
    ["a client of MCP", ADMIN, "mcp"],
    ["a service account", service("operation:execute"), "native"],
  ] as const)("%s", async (_, actor, source) => {
    await expect(askAi(parts).run(contextOf(actor, source), call)).rejects.toMatchObject({ code: "InvalidArgument" });
    expect(delivered).toEqual([]);
  });

  it("an admin key may", async () => {
    await expect(askAi(parts).run(contextOf(ADMIN), call)).rejects.toThrow();
    expect(delivered).toEqual(["github"]);
  });
});
