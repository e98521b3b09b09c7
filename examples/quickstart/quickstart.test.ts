/** The quickstart, driven end to end by the official client against a real host. */
import { join } from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { ConvexError } from "convex/values";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";
import { api } from "./convex/_generated/api.js";

let host: LocalHost;
let client: ConvexHttpClient;

beforeAll(async () => {
  host = await startLocalHost();
  await deployFolder(host.connection, join(import.meta.dirname, "convex"));
  client = new ConvexHttpClient(host.connection.url);
});

afterAll(async () => {
  await host.stop();
});

async function openAccount(name: string) {
  return await client.mutation(api.accounts.open, { name, email: `${name.toLowerCase()}-${performance.now()}@example.com` });
}

describe("accounts", () => {
  test("open, list and get", async () => {
    const accountId = await openAccount("Ada");
    expect(accountId).toMatch(/^[0-9a-z]{32}$/);
    const accounts = await client.query(api.accounts.list, {});
    expect(accounts.map(({ _id }) => _id)).toContain(accountId);
    expect(await client.query(api.accounts.get, { accountId })).toMatchObject({ account: { name: "Ada", status: "active" }, openCents: 0 });
  });

  test("the names of a list are in order", async () => {
    await openAccount("Zoe");
    await openAccount("Bob");
    const names = (await client.query(api.accounts.list, {})).map(({ name }) => name);
    expect(names).toEqual([...names].sort());
  });

  test("one email has one account, and the error carries its data", async () => {
    const email = `one-${performance.now()}@example.com`;
    await client.mutation(api.accounts.open, { name: "One", email });
    const again = client.mutation(api.accounts.open, { name: "Two", email: email.toUpperCase() });
    await expect(again).rejects.toBeInstanceOf(ConvexError);
    await expect(again).rejects.toMatchObject({ data: { code: "emailTaken", email } });
  });

  test("two openings of one email at the same time give one account", async () => {
    const email = `race-${performance.now()}@example.com`;
    const clients = Array.from({ length: 6 }, () => new ConvexHttpClient(host.connection.url));
    const outcomes = await Promise.allSettled(clients.map((each) => each.mutation(api.accounts.open, { name: "Race", email })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("wrong arguments are refused before the function runs", async () => {
    // @ts-expect-error -- a wrong type on purpose
    await expect(client.mutation(api.accounts.open, { name: 7, email: "x@example.com" })).rejects.toThrow(/ArgumentValidationError/);
  });
});

describe("subscriptions and invoices", () => {
  test("starting bills the first month in the same transaction", async () => {
    const accountId = await openAccount("Carol");
    await client.mutation(api.subscriptions.start, { accountId, plan: "team", seats: 12, period: "2026-11" });
    // 12 × 19.00 less a tenth
    expect(await client.query(api.accounts.get, { accountId })).toMatchObject({ openCents: 20_520 });
  });

  test("a refused start leaves nothing behind", async () => {
    const accountId = await openAccount("Dave");
    await expect(client.mutation(api.subscriptions.start, { accountId, plan: "team", seats: 0, period: "2026-11" })).rejects.toMatchObject({
      data: { code: "invalidSeats" },
    });
    expect(await client.query(api.subscriptions.forAccount, { accountId })).toEqual([]);
  });

  test("billing twice bills once", async () => {
    const accountId = await openAccount("Erin");
    await client.mutation(api.subscriptions.start, { accountId, plan: "basic", seats: 1, period: "2026-10" });
    await client.action(api.invoices.billAll, { period: "2026-11" });
    await client.action(api.invoices.billAll, { period: "2026-11" });
    const { page } = await client.query(api.invoices.page, { accountId, paginationOpts: { numItems: 10, cursor: null } });
    expect(page.map(({ period }) => period)).toEqual(["2026-11", "2026-10"]);
  });

  test("pages follow one another", async () => {
    const accountId = await openAccount("Frank");
    await client.mutation(api.subscriptions.start, { accountId, plan: "basic", seats: 1, period: "2026-01" });
    for (const period of ["2026-02", "2026-03"]) await client.action(api.invoices.billAll, { period });
    const first = await client.query(api.invoices.page, { accountId, paginationOpts: { numItems: 2, cursor: null } });
    const second = await client.query(api.invoices.page, { accountId, paginationOpts: { numItems: 2, cursor: first.continueCursor } });
    expect([...first.page, ...second.page].map(({ period }) => period)).toEqual(["2026-03", "2026-02", "2026-01"]);
    expect(second.isDone).toBe(true);
  });

  test("an account closes when nothing is owed", async () => {
    const accountId = await openAccount("Grace");
    await client.mutation(api.subscriptions.start, { accountId, plan: "basic", seats: 2, period: "2026-11" });
    await expect(client.mutation(api.accounts.close, { accountId, period: "2026-11" })).rejects.toMatchObject({
      data: { code: "invoicesOpen", open: 1 },
    });
    const { page } = await client.query(api.invoices.page, { accountId, paginationOpts: { numItems: 10, cursor: null } });
    for (const { _id } of page) await client.mutation(api.invoices.pay, { invoiceId: _id });
    await client.mutation(api.accounts.close, { accountId, period: "2026-11" });
    expect(await client.query(api.accounts.get, { accountId })).toMatchObject({ account: { status: "closed" } });
  });

  test("internal functions cannot be called from outside", async () => {
    await expect(client.mutation("invoices:bill" as never, {} as never)).rejects.toThrow(/Could not find public function/);
  });
});

describe("HTTP actions", () => {
  test("GET /accounts answers JSON on the second origin", async () => {
    await openAccount("Heidi");
    const response = await fetch(`${host.process.ready.siteUrl}/accounts`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(expect.arrayContaining([expect.objectContaining({ name: "Heidi" })]));
  });

  test("POST /payments pays, and an unknown path is 404", async () => {
    const accountId = await openAccount("Ivan");
    await client.mutation(api.subscriptions.start, { accountId, plan: "basic", seats: 1, period: "2026-11" });
    const { page } = await client.query(api.invoices.page, { accountId, paginationOpts: { numItems: 1, cursor: null } });
    const response = await fetch(`${host.process.ready.siteUrl}/payments`, {
      method: "POST",
      body: JSON.stringify({ invoiceId: page[0]?._id }),
    });
    expect(response.status).toBe(204);
    expect(await client.query(api.accounts.get, { accountId })).toMatchObject({ openCents: 0 });
    expect((await fetch(`${host.process.ready.siteUrl}/nowhere`)).status).toBe(404);
  });
});
