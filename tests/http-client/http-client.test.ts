/**
 * The client that is generated from the OpenAPI document, against a real host. Paths, bodies and answers are checked by the compiler;
 * what the host answers is checked against the document as it runs.
 */
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { must, plinthClient, type Outcome, type PlinthClient, type PlinthError } from "../../examples/http-client/client.ts";
import { checkedFetch } from "../../packages/server/src/doors/test/documented-answers.ts";
import { bundleApp, startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { apiPackage } from "./api-package.ts";

let host: TestHost;
let client: PlinthClient;

beforeAll(async () => {
  host = await startTestHost();
  client = plinthClient({ url: host.url, key: host.adminKey, fetch: checkedFetch });
  must(await client.POST("/v1/deploy", { body: await bundleApp() }));
}, 120_000);
afterAll(() => host.remove());

/** Asks until there is an answer. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("the types say what the API says", () => {
  expectTypeOf<Outcome["status"]>().toEqualTypeOf<"succeeded" | "failed">();
  expectTypeOf<Extract<Outcome, { status: "failed" }>["error"]["retry"]>().toEqualTypeOf<"never" | "later" | "automatic">();
  expectTypeOf<"OperationNotFound">().toExtend<PlinthError["code"]>();
  expectTypeOf<"Whatever">().not.toExtend<PlinthError["code"]>();
});

test("the host serves the document to everybody, with its own address", async () => {
  const { data } = await plinthClient({ url: host.url, key: "", fetch: (request) => checkedFetch(new Request(request.url)) }).GET(
    "/v1/openapi.json",
  );
  expect(data).toMatchObject({ openapi: "3.1.1", servers: [{ url: host.url }, { url: `${host.url}/t/{tenant}` }] });
  expect(JSON.stringify(data)).not.toContain(host.adminKey);
});

describe("functions", () => {
  test("are listed, called now and later, and refused with typed errors", async () => {
    const { functions } = must(await client.GET("/v1/functions"));
    expect(functions).toContainEqual({ path: "messages:send", kind: "mutation", visibility: "public" });

    const path = { id: "messages:send" };
    const outcome = must(
      await client.POST("/v1/functions/{id}/execute", {
        params: { path },
        body: { args: { author: "a", text: "b" }, priority: "interactive" },
      }),
    );
    if (outcome.status !== "succeeded") throw new Error(JSON.stringify(outcome));
    expect(typeof outcome.value).toBe("string");

    const failed = must(await client.POST("/v1/functions/{id}/execute", { params: { path: { id: "messages:fail" } } }));
    expect(failed.status === "failed" ? failed.error.code : undefined).toBe("FunctionError");

    const stored = must(
      await client.POST("/v1/functions/{id}/execute", { params: { path }, body: { args: { author: "a", text: "c" }, mode: "async" } }),
    );
    const record = await eventually(async () => {
      const found = must(await client.GET("/v1/invocations/{id}", { params: { path: { id: stored.id } } }));
      return found.status === "queued" || found.status === "running" ? undefined : found;
    });
    expect(record).toMatchObject({ status: "succeeded", kind: "mutation", source: "native" });

    const { error, response } = await client.POST("/v1/functions/{id}/execute", { params: { path: { id: "messages:none" } } });
    expect([response.status, error?.code]).toEqual([404, "FunctionNotFound"]);
  });

  test("stream what happens", async () => {
    const { data } = await client.POST("/v1/functions/{id}/execute", {
      params: { path: { id: "messages:pause" } },
      body: { args: { ms: 1 } },
      headers: { accept: "text/event-stream" },
      parseAs: "text",
    });
    expect(data).toMatch(/event: log\ndata: .*pausing[\s\S]*event: done\n/);
  });

  test("inline code", async () => {
    const outcome = must(
      await client.POST("/v1/code/execute", { body: { language: "python", code: "result = inputs['n'] + 1", inputs: { n: 1 } } }),
    );
    expect(outcome.status).toBe("succeeded");
  });
});

test("operations are searched, described and executed", async () => {
  const { operations } = must(await client.GET("/v1/operations", { params: { query: { text: "http", type: "action", limit: 5 } } }));
  expect(operations.map(({ slug }) => slug)).toContain("http");
  const operation = must(await client.GET("/v1/operations/{id}", { params: { path: { id: "http" } } }));
  expect(operation.inputs[0]?.fields.map(({ name }) => name)).toContain("url");
  const executed = must(
    await client.POST("/v1/operations/{id}/execute", { params: { path: { id: "http" } }, body: { input: { url: "http://127.0.0.1:1/" } } }),
  );
  if (!("result" in executed)) throw new Error(JSON.stringify(executed));
  expect("error" in executed.result ? executed.result.error.type : undefined).toBe("invalidRequest");
  const { error } = await client.POST("/v1/operations/{id}/execute", { params: { path: { id: "none" } } });
  expect(error?.code).toBe("OperationNotFound");
});

test("keys, tenants, limits, branches and the environment", async () => {
  const { id, key } = must(await client.POST("/v1/keys", { body: { scopes: ["read"], name: "reader", expiresInDays: 1 } }));
  expect(must(await client.GET("/v1/keys")).keys.map((each) => each.id)).toContain(id);
  const reader = plinthClient({ url: host.url, key, fetch: checkedFetch });
  expect((await reader.GET("/v1/keys")).error?.code).toBe("Forbidden");
  expect(must(await client.DELETE("/v1/keys/{id}", { params: { path: { id } } })).revoked).toBe(true);

  must(await client.POST("/v1/tenants", { body: { name: "second" } }));
  expect(must(await client.GET("/v1/tenants")).tenants.map(({ name }) => name)).toEqual(["default", "second"]);
  const second = plinthClient({ url: `${host.url}/t/second`, key: host.adminKey, fetch: checkedFetch });
  const limits = must(
    await second.PUT("/v1/limits", { body: { budget: { amount: 5 }, functions: [{ function: "a:*", concurrency: 2 }] } }),
  );
  expect(limits.budget?.amount).toBe(5);
  expect(must(await second.GET("/v1/usage")).stage).toBe("ok");

  const branch = must(await client.POST("/v1/branches", { body: { name: "dev", from: "main" } }));
  const query = { branch: "dev" };
  const header = { "X-Plinth-Branch-Key": branch.key };
  expect(must(await client.GET("/v1/functions", { params: { query, header } })).branch).toBe("dev");
  expect(must(await client.GET("/v1/branches/{name}/snapshots", { params: { path: { name: "main" } } })).name).toBe("main");
  expect((await client.GET("/v1/functions", { params: { query } })).error?.code).toBe("BranchAccessDenied");

  must(await client.POST("/v1/environment", { body: { changes: { COLOUR: "red" } } }));
  expect(must(await client.GET("/v1/environment"))["COLOUR"]).toBe("red");
});

describe("packages", { timeout: 120_000 }, () => {
  let snapIn: string;
  const name = { path: { name: "parts" } };

  async function upload(note: string) {
    const uploaded = await client.POST("/v1/packages/{name}/versions", {
      params: { ...name, query: { note } },
      headers: { "content-type": "application/gzip" },
      body: "",
      bodySerializer: () => archiveOf(apiPackage(note)),
    });
    return must(uploaded).version;
  }

  test("are uploaded, compared, moved and read", async () => {
    const [first, second] = [await upload("one"), await upload("two")];
    expect(must(await client.GET("/v1/packages")).packages).toMatchObject([{ name: "parts", version: second, runtime: "node" }]);
    expect(must(await client.GET("/v1/packages/{name}", { params: name })).ledger).toHaveLength(2);
    const diff = await client.GET("/v1/packages/{name}/diff", { params: { ...name, query: { from: first, to: second } } });
    expect(must(diff).filesChanged).toEqual(["code/dist/index.js"]);
    expect(must(await client.POST("/v1/packages/{name}/rollback", { params: name })).version).toBe(first);
    expect(must(await client.POST("/v1/packages/{name}/promote", { params: name, body: { version: second } })).cause).toBe("promote");
    const path = { name: "parts", version: first.slice(0, 12) };
    expect(must(await client.GET("/v1/packages/{name}/versions/{version}", { params: { path } })).functions).toEqual(["work"]);
  });

  test("are installed, configured, activated and upgraded", async () => {
    const [latest, previous] = must(await client.GET("/v1/packages/{name}", { params: name })).ledger;
    snapIn = must(await client.POST("/v1/snap-ins", { body: { package: "parts", version: previous?.version ?? null } })).id;
    const params = { path: { id: snapIn } };
    must(await client.POST("/v1/snap-ins/{id}/configure", { params, body: { inputs: { note: "x" } } }));
    expect(must(await client.POST("/v1/snap-ins/{id}/activate", { params })).state).toBe("active");
    const upgraded = must(await client.POST("/v1/snap-ins/{id}/upgrade", { params, body: { version: latest?.version ?? "" } }));
    expect(upgraded.version).toBe(latest?.version);
    expect(must(await client.POST("/v1/snap-ins/{id}/users", { params, body: { user: "ann" } })).eventSources).toContainEqual(
      expect.objectContaining({ name: "mine", owner: { user: "ann" } }),
    );
    expect(must(await client.DELETE("/v1/snap-ins/{id}/users", { params: { ...params, query: { user: "ann" } } })).deleted).toBe(true);
    expect(must(await client.GET("/v1/snap-ins")).snapIns.map(({ id }) => id)).toEqual([snapIn]);
    expect(must(await client.GET("/v1/snap-ins/{id}", { params })).inputs).toEqual({ note: "x" });
  });

  test("leave files with their calls", async () => {
    const path = { id: "@parts/work" };
    const { id } = must(await client.POST("/v1/functions/{id}/execute", { params: { path }, body: { args: {}, mode: "async" } }));
    await eventually(async () => {
      const { status } = must(await client.GET("/v1/invocations/{id}", { params: { path: { id } } }));
      return status === "succeeded" ? status : undefined;
    });
    const file = await client.GET("/v1/invocations/{id}/artefacts/{name}", {
      params: { path: { id, name: "report.txt" } },
      parseAs: "text",
    });
    expect(file.data).toBe("left");
  });

  test("get events, and what fails is a dead letter", async () => {
    const inAYear = new Date(Date.now() + 31_536_000_000).toISOString();
    const body = { snapIn: "parts", source: "flow", type: "fail", payload: { fail: true } };
    const later = await client.POST("/v1/events", { body: { ...body, publishAt: inAYear, key: "later" } });
    expect(must(later).key).toBe("later");
    const query = { snapIn: "parts", source: "flow", key: "later" };
    expect(must(await client.DELETE("/v1/events", { params: { query } })).deleted).toBe(true);

    must(await client.POST("/v1/events", { body }));
    const deadLetter = () =>
      eventually(async () => must(await client.GET("/v1/events/dead-letters", { params: { query: { limit: 10 } } })).deadLetters[0]);
    const { id } = await deadLetter();
    const read = must(await client.GET("/v1/events/dead-letters/{id}", { params: { path: { id } } }));
    expect(read).toMatchObject({
      automation: "flow",
      event: { type: "custom:fail", payload: { fail: true } },
      error: { code: "FunctionError" },
    });
    expect(must(await client.POST("/v1/events/dead-letters/{id}/replay", { params: { path: { id } } })).replayed).toBe(true);
    must(await client.GET("/v1/events/waiting"));
    const again = await deadLetter();
    expect(must(await client.DELETE("/v1/events/dead-letters/{id}", { params: { path: { id: again.id } } })).deleted).toBe(true);
  });

  test("have commands and units of sync, and are removed", async () => {
    expect(must(await client.GET("/v1/commands")).commands).toMatchObject([{ namespace: "parts", name: "work", snapIn }]);
    must(await client.POST("/v1/keyrings", { body: { name: "remote", type: "snap_in_secret", fields: { secret: "s" } } }));
    expect(must(await client.GET("/v1/sync/imports")).imports).toMatchObject([{ slug: "things", canLoad: false }]);
    const unit = must(await client.POST("/v1/sync/units", { body: { snapIn, import: "things", keyring: "remote" } })).id;
    const params = { path: { unit } };
    expect(must(await client.GET("/v1/sync/units")).units).toHaveLength(1);
    const chosen = await client.POST("/v1/sync/units/{unit}/choose", { params, body: { external: { id: "p1" } } });
    expect(must(chosen).external).toEqual({ id: "p1", name: "p1" });
    expect(must(await client.GET("/v1/sync/units/{unit}", { params })).runs).toEqual([]);
    // The function works without a report, which fails the run.
    const run = must(await client.POST("/v1/sync/units/{unit}/runs", { params, body: { mode: "initial" } })).id;
    const ended = await eventually(async () => {
      const found = must(await client.GET("/v1/sync/runs/{run}", { params: { path: { run }, query: { wait: "true" } } }));
      return found.status === "failed" ? found : undefined;
    });
    expect(ended.calls).toHaveLength(1);
    expect(must(await client.GET("/v1/sync/runs/{run}/artefacts", { params: { path: { run } } })).artefacts).toEqual([]);
    expect(must(await client.GET("/v1/sync/runs/{run}/items", { params: { path: { run } } })).next).toBeNull();
    expect(must(await client.DELETE("/v1/sync/units/{unit}", { params })).removed).toBe(true);
    expect(must(await client.DELETE("/v1/snap-ins/{id}", { params: { path: { id: snapIn } } })).deleted).toBe(true);
  });
});
