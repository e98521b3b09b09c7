/** Credentials of other systems in flows: sent where the author says, shown nowhere, and missed with a sentence. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, type Json } from "../../packages/cli/src/client.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

const SECRET = "s3cret-of-the-keyring";
const seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
let host: LocalHost;
let url: string;
let keyring: string;
const server = createServer((request, response) => {
  seen.push({ url: request.url ?? "", headers: request.headers });
  response.setHeader("content-type", "application/json");
  if (request.url === "/away") response.writeHead(302, { location: "http://elsewhere.invalid/" });
  // It says what it was told, as careless systems do.
  response.end(JSON.stringify({ got: request.headers }));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const at = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  url = `http://${at}`;
  host = await startLocalHost(["--egress-allow-private", at]);
  const made = await call(host.connection, "/v1/keyrings", { body: { name: "crm", type: "snap_in_secret", fields: { secret: SECRET } } });
  keyring = (made as { readonly id: string }).id;
}, 60_000);
afterAll(async () => {
  await host.stop();
  server.close();
});

const flow = (name: string, data: Json): Json => ({
  format: 1,
  name,
  trigger: { type: "api" },
  start: "ask",
  nodes: { ask: { type: "webhook", data, retry: { attempts: 1 } } },
});

async function published(name: string, data: Json): Promise<void> {
  await call(host.connection, "/v1/flows", { body: { definition: flow(name, data) } });
}

async function run(name: string): Promise<string> {
  return JSON.stringify(await call(host.connection, `/v1/flows/${name}/runs`, { body: { input: { id: 7 }, waitMs: 20_000 } }));
}

test("the secret goes as a bearer token, or where it is named, and is in no output", async () => {
  await published("bearer", { url: `='${url}/items/' + string(trigger.id)`, connection: "crm" });
  const bearer = await run("bearer");
  expect(seen.at(-1)).toMatchObject({ url: "/items/7", headers: { authorization: `Bearer ${SECRET}` } });
  expect(bearer).toContain('"status":"completed"');
  expect(bearer).not.toContain(SECRET);
  await published("named", { url: `${url}/named`, connection: "crm", headers: { "x-api-key": "{secret}" }, query: { key: "{secret}" } });
  expect(await run("named")).not.toContain(SECRET);
  expect(seen.at(-1)?.headers).toMatchObject({ "x-api-key": SECRET });
  expect(seen.at(-1)?.headers).not.toHaveProperty("authorization");
  expect(seen.at(-1)?.url).toBe(`/named?key=${SECRET}`);
});

test("it follows no redirect", async () => {
  const before = seen.length;
  await published("away", { url: `${url}/away`, connection: "crm" });
  expect(await run("away")).toContain('"status":302');
  expect(seen.length).toBe(before + 1);
});

test("an unknown connection, and an address that values choose, are refused when the flow is saved", async () => {
  const refused = async (data: Json) =>
    JSON.stringify(await call(host.connection, "/v1/flows/check", { body: { definition: flow("x", data) } }));
  expect(await refused({ url: `${url}/x`, connection: "erp" })).toContain("names `erp`, which is no connection here");
  expect(await refused({ url: "=trigger.url", connection: "crm" })).toContain("may lead anywhere");
  expect(await refused({ url: "='https://api.example' + trigger.rest", connection: "crm" })).toContain("may lead anywhere");
  expect(await refused({ url: "='https://api.example/' + trigger.rest", connection: "crm" })).not.toContain("may lead anywhere");
});

test("a connection that was deleted fails the step with a sentence that names the node", async () => {
  await published("later", { url: `${url}/later`, connection: "crm" });
  await call(host.connection, `/v1/keyrings/${keyring}`, { method: "DELETE" });
  const failed = await run("later");
  expect(failed).toContain('"status":"failed"');
  expect(failed).toContain("The step `ask` failed: its connection `crm` is not there any more");
});
