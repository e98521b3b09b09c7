/** Webhooks of packages, from real HTTP to a running automation. */
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { listen, startEventHost, succeed, tellingPackage, type EventHost, type Listener } from "../events/event-host.ts";

const POLICY = `
          package rego
          signature := sprintf("sha256=%s", [crypto.hmac.sha256(base64.decode(input.request.body_raw), input.parameters.secret)])
          signed { crypto.hmac.equal(signature, input.request.headers["X-Hub-Signature-256"]) }
          output = {"response": {"body": input.request.query.challenge[0], "headers": {"Content-Type": "text/plain"}}} {
            input.request.method == "GET"
          } else = {"response": {"status_code": 401, "body": {"error": "the signature is wrong"}}} {
            not signed
          } else = {"event": input.request.body, "event_key": "pushed", "sync_id": input.request.body.repository,
              "idempotency_key": object.get(input.request.body, "delivery", null),
              "response": {"status_code": 202, "body": "taken", "headers": {
                "X-Own": "yes", "Set-Cookie": "a=b", "Connection": "close", "X-Bad": "1\\r\\nSet-Cookie: x=y", "Transfer-Encoding": "chunked"}}}`;
const ODD = `
          package rego
          output := {"event": input.request.body} { input.request.query.case[0] == "no key" }
          output := {"response": {"status_code": 42}} { input.request.query.case[0] == "status" }
          output := 7 { input.request.query.case[0] == "never" }
          output := {"response": {"body": input.request}} { input.request.query.case[0] == "show" }`;

let host: EventHost;
let listener: Listener;
let url: string;
let oddUrl: string;
let snapIn: string;

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
  snapIn = await host.bring(
    "hooks",
    tellingPackage({
      name: "hooks",
      port: listener.port,
      sources: `    - name: github
      type: flow-custom-webhook
      setup_instructions: "Send to {{ source.trigger_url }}, secret {{source.config.parameters.secret}}"
      config:
        parameters: { secret: shared }
        policy: |${POLICY}
    - name: odd
      type: flow-custom-webhook
      config:
        policy: |${ODD}
`,
      automations: `  - name: pushed
    source: github
    event_types: ["custom:pushed"]
    function: tell
`,
    }),
  );
  const { json } = await succeed(host.send(`/v1/snap-ins/${snapIn}`));
  const sources = json["eventSources"] as readonly { name: string; triggerUrl: string; setupInstructions: string | null }[];
  url = sources.find(({ name }) => name === "github")?.triggerUrl ?? "";
  oddUrl = sources.find(({ name }) => name === "odd")?.triggerUrl ?? "";
  expect(sources.find(({ name }) => name === "github")?.setupInstructions).toBe(`Send to ${url}, secret shared`);
}, 90_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});
beforeEach(() => {
  listener.received.length = 0;
});

const comes = (look: () => void) => vi.waitFor(look, { timeout: 30_000, interval: 50 });
const sign = (body: string | Buffer, secret = "shared") => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
async function push(body: string | Buffer, headers: Record<string, string> = {}, to = url): Promise<Response> {
  return await fetch(to, {
    method: "POST",
    body: typeof body === "string" ? body : new Uint8Array(body),
    headers: { "content-type": "application/json", "x-hub-signature-256": sign(body), ...headers },
  });
}

describe("webhooks", { timeout: 60_000 }, () => {
  it("W1 W2 a signed request becomes an event, and the policy answers", async () => {
    const body = JSON.stringify({ repository: "plinth", commit: "ü" });
    const response = await push(body);
    expect([response.status, await response.text()]).toEqual([202, "taken"]);
    expect(response.headers.get("x-own")).toBe("yes");
    await comes(() => expect(listener.received).toHaveLength(1));
    expect(listener.received[0]).toMatchObject({
      payload: { repository: "plinth", commit: "ü" },
      execution_metadata: { event_type: "custom:pushed", function_name: "tell" },
    });
  });

  it("W1 a forged signature and a changed body are refused, and nothing runs", async () => {
    const body = JSON.stringify({ repository: "plinth" });
    for (const signature of [sign(body, "guessed"), sign(`${body} `), "", `sha256=${"0".repeat(64)}`]) {
      const response = await push(body, { "x-hub-signature-256": signature });
      expect([response.status, await response.json()]).toEqual([401, { error: "the signature is wrong" }]);
    }
    await push(JSON.stringify({ repository: "last" }));
    await comes(() => expect(listener.received.map(({ payload }) => payload["repository"])).toEqual(["last"]));
  });

  it("answers challenges, also where the address has the form of other platforms", async () => {
    expect(await (await fetch(`${url}?challenge=abc`)).text()).toBe("abc");
    const token = url.split("/").at(-1) ?? "";
    expect(await (await fetch(`${host.local.connection.url}/internal/event-sources.invoke?id=${token}&challenge=x`)).text()).toBe("x");
    expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
  });

  it("requests with one idempotency key are one event", async () => {
    const body = JSON.stringify({ repository: "twice", delivery: "d-1" });
    const responses = await Promise.all([push(body), push(body), push(body)]);
    expect(responses.map(({ status }) => status)).toEqual([202, 202, 202]);
    await push(JSON.stringify({ repository: "twice", delivery: "d-2" }));
    await comes(() => expect(new Set(listener.received.map(({ payload }) => payload["delivery"]))).toEqual(new Set(["d-1", "d-2"])));
    expect(listener.received).toHaveLength(2);
  });

  it("headers of the policy cannot change what frames the answer, nor act for the API's origin", async () => {
    const headers = (await push(JSON.stringify({ repository: "h" }))).headers;
    expect([headers.get("set-cookie"), headers.get("x-bad"), headers.get("transfer-encoding")]).toEqual([null, null, null]);
    expect(headers.get("content-security-policy")).toBe("sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("what is no body of JSON, and what is too large", async () => {
    expect((await push(Buffer.from([0xff, 0xfe, 0x00]))).status).toBe(403);
    expect((await push("{")).status).toBe(403);
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect((await push(deep)).status).toBe(502);
    expect((await push(JSON.stringify({ repository: "large", commit: "x".repeat(300_000) }))).status).toBe(413);
    // The host may close before the client has sent all of it.
    const large = await push("x".repeat(limit("webhookBodyBytesMax") + 1)).catch(() => ({ status: 413 }));
    expect(large.status).toBe(413);
    expect((await push(JSON.stringify({ repository: "after" }))).status).toBe(202);
  });

  it("an output that is wrong is the package's fault, and tells nothing", async () => {
    for (const which of ["no key", "status", "never"]) {
      const response = await push("{}", {}, `${oddUrl}?case=${encodeURIComponent(which)}`);
      const text = await response.text();
      expect([which, response.status]).toEqual([which, 502]);
      expect(text).toContain("WebhookFailed");
      expect(text).not.toMatch(/event_key|status_code|output/);
    }
    expect((await push("{}", {}, `${oddUrl}?case=none`)).status).toBe(403);
  });

  it("keys of Plinth do not reach the policy", async () => {
    const headers = { authorization: `Bearer ${host.local.connection.key}`, cookie: "session=1", "x-custom": "kept" };
    const seen = await (await push("{}", headers, `${oddUrl}?case=show&a=1&a=2`)).json();
    expect(seen).toMatchObject({ method: "POST", query: { case: ["show"], a: ["1", "2"] }, query_raw: "case=show&a=1&a=2", body: {} });
    expect(JSON.stringify(seen)).not.toMatch(/session=1|Authorization/);
    expect(seen).toMatchObject({ headers: { "X-Custom": "kept" } });
  });

  it("headers that come twice are taken by their last value", async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest(`${oddUrl}?case=show`, { method: "POST", headers: { "x-two": ["one", "two"] } }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve(body));
      });
      sent.on("error", reject);
      sent.end();
    });
    expect(JSON.parse(text)).toMatchObject({ headers: { "X-Two": "two" } });
  });

  it("other tokens open nothing", async () => {
    for (const token of ["x", "a".repeat(32), `${url.split("/").at(-1)}x`, "..%2f..", "%00"]) {
      expect((await push("{}", {}, `${host.local.connection.url}/v1/events/${token}`)).status).toBe(404);
    }
  });

  it("a policy that is wrong makes no version, and its line is named", async () => {
    const files = tellingPackage({
      name: "wrong",
      port: listener.port,
      sources: `    - name: hook
      type: flow-custom-webhook
      config:
        policy: |
          package rego
          output := {"event": nobody}
`,
      automations: "  []\n",
    });
    const line =
      String(files["manifest.yaml"])
        .split("\n")
        .findIndex((text) => text.includes("nobody")) + 1;
    const answer = await host.send("/v1/packages/wrong/versions", { body: archiveOf(files) });
    expect(answer.status).toBe(400);
    expect(answer.json["message"]).toContain(`manifest.yaml:${line} event_sources.organization[0].config.policy: line 2 of the policy`);
  });

  it("W3 a source takes a bounded number of requests", async () => {
    const requests = limit("sourceRequestsBurst") + 100;
    const statuses = await Promise.all(Array.from({ length: requests }, async () => (await fetch(`${oddUrl}?case=none`)).status));
    expect(new Set(statuses)).toEqual(new Set([403, 429]));
    // Another source is not concerned.
    expect((await fetch(`${url}?challenge=still`)).status).toBe(200);
  });

  it("a deactivated package takes nothing", async () => {
    await succeed(host.send(`/v1/snap-ins/${snapIn}/deactivate`, { body: {} }));
    expect((await push(JSON.stringify({ repository: "late" }))).status).toBe(404);
    await succeed(host.send(`/v1/snap-ins/${snapIn}/activate`, { method: "POST" }));
    expect((await push(JSON.stringify({ repository: "again" }))).status).toBe(202);
    await comes(() => expect(listener.received.map(({ payload }) => payload["repository"])).toEqual(["again"]));
  });
});
