/** `webhooks.*` as clients of the contract call them, and what the address gets. */
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { at, textAt, type Answer } from "../../packages/server/src/doors/test/test-host.ts";
import { callFunction, deployFolder } from "../../tools/local-host.ts";
import { bringAccount, startCalledHost, succeed, type CalledHost } from "./test-callers.ts";

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

let host: CalledHost;
let server: Server;
let base: string;
const received: Received[] = [];
/** What the address answers to anything but a challenge. */
let status = 200;
let isSilent = false;
let snapIn: string;
let token: string;
let boundedToken: string;

const bring = (name: string, scopes = "") => bringAccount(host, name, scopes);

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      const json = JSON.parse(text) as Received["json"];
      received.push({ path: request.url ?? "", headers: request.headers, text, json });
      const echoes = json["type"] === "verify" && request.url !== "/silent" && !isSilent;
      response.writeHead(echoes ? 200 : status, { "content-type": "application/json" });
      response.end(JSON.stringify(echoes ? { challenge: (json["verify"] as { readonly challenge: string }).challenge } : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  base = `http://127.0.0.1:${port}`;
  host = await startCalledHost([`127.0.0.1:${port}`]);
  await deployFolder({ url: host.url, key: host.adminKey }, join(import.meta.dirname, "..", "events", "functions", "convex"));
  ({ id: snapIn, token } = await bring("open"));
  ({ token: boundedToken } = await bring("bounded", "  scopes:\n    self:\n      - scope: account:read\n"));
}, 120_000);
afterAll(async () => {
  await host.remove();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const call = (name: string, body: unknown, key: string | null = token): Promise<Answer> =>
  host.send(`/${name}`, { body, ...(key === null ? {} : { key: null, headers: { authorization: key } }) });
const createAccount = (name: string) => callFunction({ url: host.url, key: host.adminKey }, "accounts:create", { name, revenue: 1 });
const of = (path: string, type: string) => received.filter((each) => each.path === path && each.json["type"] === type);
const statusOf = async (id: string) => textAt(await call("webhooks.get", { id }, null), "webhook", "status");
const becomes = (id: string, wanted: string) => expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe(wanted);

async function create(body: object, key: string | null = token) {
  const made = await succeed(call("webhooks.create", body, key));
  return { id: textAt(made, "webhook", "id"), secret: textAt(made, "webhook", "secret"), made };
}

test("O1 O2 an address echoes its challenge and gets signed events; what fails is sent again", { timeout: 90_000 }, async () => {
  const headers = [{ name: "X-Team", value: "sales" }];
  const { id, secret, made } = await create({ url: `${base}/events`, event_types: ["account_created"], headers });
  expect(made.status).toBe(201);
  expect(at(made, "webhook")).toMatchObject({ url: `${base}/events`, event_types: ["account_created"], headers, status: "unverified" });
  await becomes(id, "active");
  status = 500;
  await createAccount("Ada");
  await expect.poll(() => of("/events", "account_created").length, { timeout: 30_000 }).toBeGreaterThanOrEqual(1);
  status = 200;
  const failed = of("/events", "account_created").length;
  await expect.poll(() => of("/events", "account_created").length, { timeout: 60_000 }).toBeGreaterThan(failed);
  const [verify] = of("/events", "verify");
  const [first, again] = of("/events", "account_created");
  expect(again?.text).toBe(first?.text);
  expect(again?.json).toMatchObject({ webhook_id: id, account_created: { account: { name: "Ada" } } });
  for (const each of [verify, again]) {
    const signature = createHmac("sha256", secret)
      .update(each?.text ?? "")
      .digest("hex");
    expect(each?.headers).toMatchObject({ "x-devrev-signature": signature, "x-team": "sales", "content-type": "application/json" });
  }
  expect((await call("webhooks.delete", { id })).json).toEqual({});
  expect((await call("webhooks.get", { id })).status).toBe(404);
  await createAccount("Nobody hears of her");
  const next = await create({ url: `${base}/next`, event_types: ["account_created"] });
  await becomes(next.id, "active");
  await createAccount("Bea");
  await expect.poll(() => of("/next", "account_created").length, { timeout: 30_000 }).toBeGreaterThanOrEqual(1);
  expect(received.filter(({ path, text }) => path === "/events" && !text.includes("Ada") && !text.includes("verify"))).toEqual([]);
  await call("webhooks.delete", { id: next.id });
});

test("O1 who does not echo gets nothing, and another address is asked anew", { timeout: 90_000 }, async () => {
  const { id, secret } = await create({ url: `${base}/silent`, event_types: ["account_created"] });
  await expect.poll(() => of("/silent", "verify").length, { timeout: 30_000 }).toBe(1);
  await createAccount("Cleo");
  expect(await statusOf(id)).toBe("unverified");
  const moved = await succeed(
    call("webhooks.update", { id, url: `${base}/moved`, event_types: { add: ["account_deleted"], remove: ["account_created"] } }),
  );
  expect(at(moved, "webhook")).toMatchObject({ status: "unverified", secret, event_types: ["account_deleted"] });
  await becomes(id, "active");
  expect(at(await call("webhooks.update", { id, headers: { set: [{ name: "A", value: "1" }] } }), "webhook")).toMatchObject({
    status: "active",
  });
  const renewed = await succeed(call("webhooks.update", { id, secret: "", headers: { add: [{ name: "b", value: "2" }], remove: ["a"] } }));
  expect(at(renewed, "webhook")).toMatchObject({ status: "unverified", headers: [{ name: "b", value: "2" }] });
  expect(textAt(renewed, "webhook", "secret")).not.toBe(secret);
  await becomes(id, "active");
  expect(at(await call("webhooks.update", { id, action: "deactivate" }), "webhook", "status")).toBe("inactive");
  expect(at(await call("webhooks.update", { id, action: "activate" }), "webhook", "status")).toBe("unverified");
  await becomes(id, "active");
  expect(of("/silent", "account_created")).toEqual([]);
  await call("webhooks.delete", { id });
});

test("O1 an address that fails again and again gets nothing more until it echoes", { timeout: 90_000 }, async () => {
  const { id } = await create({ url: `${base}/broken`, event_types: ["account_created"] });
  await becomes(id, "active");
  status = 500;
  isSilent = true;
  for (let i = 0; i < limit("webhookFailuresMax"); i++) await createAccount(`lost ${i}`);
  await becomes(id, "unverified");
  const sent = of("/broken", "account_created").length;
  await createAccount("not heard of");
  isSilent = false;
  status = 200;
  // A verification that failed is tried again like any delivery.
  await becomes(id, "active");
  expect(of("/broken", "account_created").filter(({ text }) => text.includes("not heard of"))).toEqual([]);
  expect(sent).toBeGreaterThan(0);
  await call("webhooks.delete", { id });
});

test("O3 what is wrong is refused, private addresses are not reached, and a snap-in sees its own", { timeout: 90_000 }, async () => {
  for (const wrong of [
    ...[{}, { url: "ftp://x" }, { url: "https://u:p@x" }, { url: `https://x/${"a".repeat(limit("webhookUrlCharsMax"))}` }],
    ...[
      { url: base, event_types: ["verify"] },
      { url: base, event_types: ["custom:x"] },
      { url: base, event_types: [7] },
    ],
    ...[
      { url: base, secret: "short" },
      { url: base, secret: "x".repeat(60) },
    ],
    ...["Host", "a b", "x-devrev-signature", "x-plinth-cause-depth"].map((name) => ({ url: base, headers: [{ name, value: "x" }] })),
    { url: base, headers: [{ name: "a", value: "x\r\ny: z" }] },
  ])
    expect((await call("webhooks.create", wrong)).status, JSON.stringify(wrong)).toBe(400);
  const many = Array.from({ length: limit("webhookHeadersMax") + 1 }, (_, i) => ({ name: `a${i}`, value: "x" }));
  expect((await call("webhooks.create", { url: base, headers: many })).status).toBe(413);
  expect((await call("webhooks.update", { id: `whk_${"0".repeat(32)}` })).status).toBe(404);
  // A token hears of what it may read; a narrower key than `deploy` makes none.
  expect((await call("webhooks.create", { url: base, event_types: ["note_created"] }, boundedToken)).status).toBe(403);
  const { id } = await create({ url: "http://127.0.0.1:9/", event_types: ["account_created", "ai_agent_response"] }, boundedToken);
  expect((await call("webhooks.update", { id, event_types: { set: ["note_created"] } }, boundedToken)).status).toBe(403);
  for (const name of ["webhooks.get", "webhooks.update", "webhooks.delete"]) expect((await call(name, { id })).status).toBe(404);
  expect(at(await call("webhooks.list", {}), "webhooks")).toEqual([]);
  expect(at(await call("webhooks.list", {}, null), "webhooks")).toMatchObject([{ id, status: "unverified" }]);
  const { key } = await host.key(["invoke", "read"]);
  expect((await call("webhooks.list", {}, `Bearer ${key}`)).status).toBe(403);
  const letters = async () => at(await host.send("/v1/events/dead-letters"), "deadLetters");
  const refused = expect.objectContaining({ automation: id, error: expect.objectContaining({ code: "FetchRefused" }) as unknown });
  await expect.poll(letters, { timeout: 60_000 }).toContainEqual(refused);
  expect(await statusOf(id)).toBe("unverified");
});

test("webhooks go with the snap-in that made them", { timeout: 60_000 }, async () => {
  const { id } = await create({ url: `${base}/leaving`, event_types: ["account_created"] });
  await becomes(id, "active");
  await succeed(host.send(`/v1/snap-ins/${snapIn}/deactivate`, { method: "POST" }));
  await succeed(host.send(`/v1/snap-ins/${snapIn}`, { method: "DELETE" }));
  expect((await call("webhooks.get", { id }, null)).status).toBe(404);
  expect(received.filter(({ path }) => path === "/leaving").every(({ json }) => json["type"] === "verify")).toBe(true);
});
