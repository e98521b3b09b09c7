/** HTTP actions of a real host, on their own origin and on the API's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { at, deployApp, startTestHost, type TestHost } from "../test/test-host.ts";

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
  await deployApp(host);
  await host.send("/v1/tenants", { body: { name: "acme" } });
  await deployApp(host, "acme");
});

afterAll(async () => await host.remove());

const bytesMax = limit("httpBodyBytesMax");
const site = { origin: "site", key: null } as const;

describe("HTTP actions", () => {
  it("get the request and give the response", async () => {
    const answer = await host.send("/echo?a=1", { ...site, body: "päylöad", headers: { "content-type": "text/plain", "x-own": "1" } });
    expect(answer).toMatchObject({ status: 201, json: { method: "POST", url: `${host.siteUrl}/echo?a=1`, body: "päylöad" } });
    expect(answer.headers.get("x-made-by")).toBe("echo");
    expect(at(answer, "names")).toContain("x-own");
  });

  it("are reached under /http of the API too", async () => {
    expect(await host.send("/http/echo", { key: null, body: "x" })).toMatchObject({ status: 201, json: { body: "x" } });
  });

  it("answer 404 where no route is", async () => {
    expect(await host.send("/nowhere", site)).toMatchObject({ status: 404, text: "No matching routes found" });
    expect(await host.send("/echo", site)).toMatchObject({ status: 404 });
    expect(await host.send("/t/nobody/echo", { ...site, body: "x" })).toMatchObject({ status: 404 });
  });

  it("carry bytes as they are", async () => {
    const response = await fetch(`${host.siteUrl}/bytes`);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 128, 10]);
    const head = await fetch(`${host.siteUrl}/bytes`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("fail as 500 with a trace", async () => {
    expect(await host.send("/boom", site)).toMatchObject({
      status: 500,
      json: { code: "InternalServerError", trace: expect.stringContaining("http secret") },
    });
  });

  it("never see a key of Plinth", async () => {
    const answer = await host.send("/echo", { origin: "site", body: "x" });
    expect(at(answer, "names")).not.toContain("authorization");
    expect(at(await host.send("/echo", { origin: "site", key: "somebody-elses-token", body: "x" }), "names")).toContain("authorization");
  });

  it("O11: set for their own origin what they may, and nothing for others", async () => {
    const own = await host.send("/headers", site);
    expect([own.headers.get("set-cookie"), own.headers.get("content-security-policy"), own.headers.get("x-own")]).toEqual([
      "a=b",
      "default-src *",
      "yes",
    ]);
    const onApi = await host.send("/http/headers", { key: null });
    expect([
      onApi.headers.get("set-cookie"),
      onApi.headers.get("content-security-policy"),
      onApi.headers.get("x-content-type-options"),
    ]).toEqual([null, "sandbox", "nosniff"]);
    const ofTenant = await host.send("/t/acme/headers", site);
    expect([ofTenant.status, ofTenant.headers.get("set-cookie"), ofTenant.headers.get("x-own")]).toEqual([200, null, "yes"]);
    expect(ofTenant.headers.get("content-security-policy")).toMatch(/^sandbox [a-z -]*allow-scripts, default-src \*$/);
  });

  it("get and give bodies up to the limit", async () => {
    const body = new Uint8Array(bytesMax).fill(7);
    const response = await fetch(`${host.siteUrl}/same-bytes`, { method: "POST", body });
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it("get and give no body that is too large", async () => {
    expect(await host.send("/echo", { ...site, body: new Uint8Array(bytesMax + 1) })).toMatchObject({
      status: 413,
      json: { code: "RequestTooLarge" },
    });
    expect(await host.send(`/many-bytes?bytes=${bytesMax + 1}`, site)).toMatchObject({
      status: 500,
      json: { trace: expect.stringContaining("Bytes of the body of an HTTP action's response") },
    });
  });
});
