/** Keyrings at the API of a real host. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestHost, textAt, type TestHost } from "../test/test-host.ts";

let host: TestHost;
let provider: Server;

beforeAll(async () => {
  provider = createServer((_, response) => void response.end('{"access_token":"hush"}'));
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  host = await startTestHost({ egressAllowPrivate: [`127.0.0.1:${(provider.address() as AddressInfo).port}`] });
  await host.send("/v1/tenants", { body: { name: "acme" } });
});
afterAll(async () => {
  await host.remove();
  await new Promise((resolve) => provider.close(resolve));
});

const secret = (name: string) => ({ name, type: "snap_in_secret", fields: { secret: "hush-hush" } });

it("are made, listed, read and revoked, and never show a secret", async () => {
  const made = await host.send("/v1/keyrings", { body: secret("one") });
  expect(made).toMatchObject({ status: 201, json: { name: "one", state: "active" } });
  const id = textAt(made, "id");
  const of = await host.send("/v1/keyrings", { body: { ...secret("one"), user: "ada" } });
  expect(of).toMatchObject({ status: 201, json: { owner: { user: "ada" } } });
  const answers = [
    made,
    of,
    await host.send("/v1/keyrings"),
    await host.send("/v1/keyrings?user=ada"),
    await host.send(`/v1/keyrings/${id}`),
    await host.send("/v1/keyrings", { body: secret("one") }),
    await host.send("/v1/keyrings", { body: { ...secret("two"), fields: { secret: ["hush"] } } }),
    await host.send("/v1/keyrings", { body: { ...secret("two"), fields: { secret: "hush", more: "hush" } } }),
    await host.send("/v1/keyrings", { body: { ...secret("two"), fields: "hush" } }),
    await host.send("/metrics"),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 200, 200, 409, 400, 400, 400, 200]);
  for (const { text } of answers) expect(text).not.toContain("hush");
  expect(answers[3]?.json).toMatchObject({ keyrings: [{ owner: { user: "ada" } }] });
  expect(await host.send(`/v1/keyrings/${id}`, { method: "DELETE" })).toMatchObject({ status: 200 });
  expect(await host.send(`/v1/keyrings/${id}`)).toMatchObject({ status: 404 });
});

it("O09 are reached with an admin key of the tenant only", async () => {
  const id = textAt(await host.send("/v1/keyrings", { body: secret("mine") }), "id");
  const acme = await host.key(["admin"], { tenant: "acme" });
  expect(await host.send("/v1/keyrings", { key: acme.key })).toMatchObject({ status: 200, json: { keyrings: [] } });
  expect(await host.send(`/v1/keyrings/${id}`, { key: acme.key })).toMatchObject({ status: 404 });
  expect(await host.send(`/v1/keyrings/${id}`, { key: acme.key, method: "DELETE" })).toMatchObject({ status: 404 });
  expect(await host.send("/v1/keyrings/rotate", { key: acme.key, method: "POST" })).toMatchObject({ status: 403 });
  const { key } = await host.key(["deploy", "invoke", "read"]);
  for (const path of ["/v1/keyrings", `/v1/keyrings/${id}`]) {
    expect(await host.send(path, { key })).toMatchObject({ status: 403 });
    expect(await host.send(path, { key: null })).toMatchObject({ status: 401 });
  }
  expect(await host.send("/v1/keyrings/rotate", { method: "POST" })).toMatchObject({ status: 200, json: { keyrings: 0 } });
});

it("greet the browser that comes back with a page that tells nothing and runs nothing", async () => {
  const path = "/v1/keyrings/oauth/callback";
  for (const query of [
    "",
    "?state=a",
    "?code=a",
    "?state=<script>&code=%3Cscript%3E",
    "?error=%3Cscript%3Ealert(1)%3C/script%3E",
    "?error=access_denied",
  ]) {
    const answer = await host.send(path + query, { key: null });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("script");
    expect(answer.text, "advice to programs").not.toContain("reference of the endpoint");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  }
  expect((await host.send(`${path}?error=access_denied`, { key: null })).text).toContain("access_denied");
});

it("cannot be started for a type that takes a secret, or is unknown", async () => {
  const start = (type: string) => host.send("/v1/keyrings/oauth/start", { body: { name: "x", type } });
  expect(await start("devrev-pat")).toMatchObject({ status: 400 });
  expect(await start("crm/none")).toMatchObject({ status: 404 });
});

it("Y1 are not in clear in the files of the data folder", async () => {
  await host.send("/v1/keyrings", { body: { ...secret("disk"), fields: { secret: "hush-on-disk" } } });
  for (const file of ["plinth.db", "plinth.db-wal"]) expect(readFileSync(join(host.dataDir, file)).includes("hush-on-disk")).toBe(false);
});
