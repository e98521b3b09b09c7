/** The flows of this folder on a real host, from what starts them to what they leave. Their tests with mocks run too. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { call, type Json } from "../../packages/cli/src/client.ts";
import { deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

const FLOWS = join(import.meta.dirname, "flows");

const SOON = { timeout: 30_000, interval: 20 };

/** The systems around: a hook that notes what it gets, a list of contacts in three pages, a carrier that has no lorry. */
const told: Json[] = [];
let outside: Server;
let url: string;
let host: LocalHost;

beforeAll(async () => {
  outside = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://outside");
      if (pathname === "/hook") told.push(JSON.parse(body) as Json);
      response.statusCode = pathname === "/no-lorry" ? 503 : 200;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(pathname === "/contacts" ? contacts(Number(searchParams.get("page"))) : { parcel: "P7" }));
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const address = outside.address();
  const at = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  url = `http://${at}`;
  host = await startLocalHost(["--egress-allow-private", at]);
  await deployFolder(host.connection, join(import.meta.dirname, "convex"));
  for (const file of readdirSync(FLOWS).filter((name) => name.endsWith(".flow.json")))
    await call(host.connection, "/v1/flows", { body: { definition: JSON.parse(readFileSync(join(FLOWS, file), "utf8")) as Json } });
}, 60_000);
afterAll(async () => {
  await host.stop();
  outside.closeAllConnections();
  outside.close();
});

function contacts(page: number): Json {
  return { contacts: [{ id: `c${page}`, name: `Contact ${page}`, email: `c${page}@contacts.example` }], more: page < 3 };
}

interface Executed {
  readonly result: { readonly output?: { readonly values: readonly Record<string, Json>[] } };
}

async function operate(operation: string, input: Json): Promise<Record<string, Json>> {
  const executed = (await call(host.connection, `/v1/operations/${operation}/execute`, { body: { input } })) as unknown as Executed;
  const [value] = executed.result.output?.values ?? [];
  if (value === undefined) throw new Error(JSON.stringify(executed));
  return value;
}

const all = async (object: string): Promise<Json> => (await operate(`list_${object}`, {}))["items"] ?? null;

interface Run {
  readonly id: string;
  readonly reason: { readonly code: string } | null;
}

/** Starts a flow, and looks until the run has ended. */
async function run(flow: string, input: Json): Promise<Json> {
  const { id } = (await call(host.connection, `/v1/flows/${flow}/runs`, { body: { input } })) as unknown as Run;
  return await vi.waitFor(async () => {
    const detail = await call(host.connection, `/v1/flow-runs/${id}`);
    expect(detail).toMatchObject({ endedMs: expect.any(Number) });
    return detail;
  }, SOON);
}

test("a new subscription of a gold customer is invoiced, and the customer's system is told", async () => {
  const customer = (await operate("create_customer", { name: "Ada", tier: "gold", hookUrl: `${url}/hook` }))["_id"] ?? "";
  await operate("create_subscription", { customer, plan: "team", seats: 60, months: 24, cents: 10_000 });
  await vi.waitFor(() => expect(told).toHaveLength(1), SOON);
  expect(told).toEqual([{ plan: "team", percent: 20, cents: 8000 }]);
  expect(await all("invoice")).toEqual([expect.objectContaining({ customer, cents: 8000, percent: 20 })]);
});

test("a large expense waits for an approval, and a small one does not", async () => {
  const large =
    (await operate("create_expense", { who: "Ada", what: "a chair", cents: 90_000, status: "new", decidedBy: null }))["_id"] ?? "";
  const small = (await operate("create_expense", { who: "Ada", what: "a pen", cents: 900, status: "new", decidedBy: null }))["_id"] ?? "";
  const status = async (_id: Json) => (await operate("get_expense", { _id }))["status"];
  await vi.waitFor(async () => expect(await status(small)).toBe("approved"), SOON);
  const waiting = await vi.waitFor(async () => {
    const { runs } = (await call(host.connection, "/v1/flow-runs?flow=approve_expense")) as unknown as { readonly runs: readonly Run[] };
    const run = runs.find(({ reason }) => reason?.code === "awaiting_approval");
    expect(run).toBeDefined();
    return run?.id ?? "";
  }, SOON);
  const { answers } = (await call(host.connection, `/v1/flow-runs/${waiting}`)) as unknown as {
    readonly answers: readonly { readonly token: string }[];
  };
  await call(host.connection, "/v1/flow-answers", { body: { token: answers[0]?.token ?? "", output: { approved: true } } });
  await vi.waitFor(async () => expect(await status(large)).toBe("approved"), SOON);
});

test("contacts of another system are read, page by page", async () => {
  await call(host.connection, "/v1/operations/create_source/execute", { body: { input: { name: "contacts", url: `${url}/contacts` } } });
  expect(await run("nightly_contacts", { scheduledTime: "2026-11-20T03:00:00Z" })).toMatchObject({ output: { added: 3, pages: 3 } });
  expect(await run("nightly_contacts", { scheduledTime: "2026-11-21T03:00:00Z" })).toMatchObject({ output: { added: 0, pages: 3 } });
  expect(await all("contact")).toHaveLength(3);
});

test("an agent asks for a price", async () => {
  expect(await operate("flows%2Fquote", { seats: 100, plan: "company" })).toEqual({
    euros: 12_960,
    text: "The plan company costs 12960 euros a year.",
  });
});

test("an order that cannot be shipped is paid back, and on sale again", async () => {
  await operate("create_stock", { item: "chair", count: 5 });
  const order = { number: "A1", item: "chair", quantity: 2, cents: 9900 };
  expect(await run("order", { ...order, carrierUrl: `${url}/no-lorry` })).toMatchObject({ status: "failed", error: { node: "ship" } });
  expect(await all("stock")).toMatchObject([{ count: 5 }]);
  expect(await all("payment")).toMatchObject([{ order: "A1", status: "refunded" }]);
  expect(await run("order", { ...order, number: "A2", carrierUrl: `${url}/ship` })).toMatchObject({
    output: { order: "A2", parcel: "P7" },
  });
  expect(await all("stock")).toMatchObject([{ count: 3 }]);
});

test("the tests beside the flows pass", () => {
  const plinth = join(import.meta.dirname, "../../packages/cli/bin/plinth.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [plinth, "flow", "test", FLOWS], { encoding: "utf8" });
  expect(stdout + stderr).toContain("13 passed");
  expect(status).toBe(0);
});
