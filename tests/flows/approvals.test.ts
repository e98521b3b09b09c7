/** Approvals that people answer on a page, without a key: on a real host. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;

beforeAll(async () => {
  host = eventHost(await startLocalHost([]));
}, 60_000);
afterAll(() => host.local.stop());

type Json = Readonly<Record<string, unknown>>;

interface Address {
  readonly approver: string | null;
  readonly token: string | null;
  readonly url: string | null;
}

const FORM = [
  { name: "reason", label: 'Why "so"?', required: true },
  { name: "amount", type: "number" },
  { name: "tier", type: "choice", choices: ["gold", "<b>silver</b>"] },
  { name: "urgent", type: "boolean" },
];

/** A run that waits, and where it is answered. */
async function ask(name: string, data: Json): Promise<{ readonly id: string; readonly answers: readonly Address[] }> {
  const nodes = {
    ask: { type: "wait", data: { for: "approval", title: "=trigger.title", ...data }, next: "give" },
    give: { type: "return", data: { output: "=steps.ask.output" } },
  };
  const definition = { format: 1, name, trigger: { type: "api", output: { record: { title: "string" } } }, start: "ask", nodes };
  const { json: published } = await succeed(host.send("/v1/flows", { body: { definition } }));
  expect(published["findings"]).toEqual([]);
  const input = { title: "<script>alert(1)</script> & more" };
  const { json } = await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs: 20_000 } }));
  return { id: String(json["id"]), answers: json["answers"] as readonly Address[] };
}

async function ended(id: string): Promise<Json> {
  return await eventually(async () => {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    return json["endedMs"] === null ? undefined : json;
  }, "the end of the run");
}

function urlOf(answers: readonly Address[], approver: string | null): string {
  return String(answers.find((answer) => answer.approver === approver)?.url);
}

const page = (url: string) => fetch(url, { headers: { accept: "text/html" } });
const fill = (url: string, fields: Readonly<Record<string, string>>) =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), headers: { accept: "text/html" } });

test("a person answers on a page, on which nothing runs", { timeout: 60_000 }, async () => {
  const { id, answers } = await ask("discount", { form: FORM, details: { who: "</pre><img src=x onerror=alert(1)>" } });
  const url = urlOf(answers, null);
  const shown = await page(url);
  expect(shown.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/);
  expect(shown.headers.get("referrer-policy")).toBe("no-referrer");
  expect(shown.headers.get("cache-control")).toBe("no-store");
  const html = await shown.text();
  for (const hostile of ["<script", "<img", "<b>silver", '"so"']) expect(html).not.toContain(hostile);
  expect(html).toContain("&#60;script&#62;alert(1)&#60;/script&#62; &#38; more");
  expect(html).toContain('name="field:reason"');
  // Somebody who only looks, as programs that look at links do, answers nothing.
  const missing = await fill(url, { decision: "approve", name: "Ada" });
  expect(missing.status).toBe(400);
  expect(await missing.text()).toContain("&#96;reason&#96;");
  expect((await fill(url, { decision: "approve", "field:reason": "x", "field:amount": "many" })).status).toBe(400);
  const fields = { decision: "approve", name: "Ada", "field:reason": "loyal", "field:amount": "12.5", "field:tier": "gold" };
  expect((await fill(url, fields)).status).toBe(200);
  expect(await ended(id)).toMatchObject({
    status: "completed",
    output: { approved: true, by: "Ada", form: { reason: "loyal", amount: 12.5, tier: "gold", urgent: false } },
  });
  // Whoever opens it again is not told that the answer was lost.
  for (const again of [await page(url), await fill(url, { decision: "refuse" })]) {
    expect(again.status).toBe(409);
    expect(await again.text()).toContain("an earlier answer stands");
  }
  const wrong = await page(`${url}x`);
  expect([wrong.status, await wrong.text()]).toEqual([404, expect.stringContaining("The address is not whole, or not right.") as string]);
});

test("each approver has an address, and the answer says whose it was", { timeout: 60_000 }, async () => {
  const approvers = ["ada@example.com", "bob@example.com"];
  const { id, answers } = await ask("payout", { approvers, form: ["note"] });
  expect(answers.map(({ approver }) => approver)).toEqual(approvers);
  const { json: key } = await succeed(host.send("/v1/keys", { body: { name: "app", scopes: ["invoke"] } }));
  // Whoever may start runs stands for no approver.
  const { json: seen } = await host.send(`/v1/flow-runs/${id}`, { key: String(key["key"]) });
  expect(seen["answers"]).toMatchObject([
    { approver: "ada@example.com", token: null, url: null },
    { approver: "bob@example.com", token: null, url: null },
  ]);
  const url = urlOf(answers, "bob@example.com");
  expect(await (await page(url)).text()).toContain("bob@example.com");
  const { token } = answers.find(({ approver }) => approver === "bob@example.com") ?? {};
  const asKey = await host.send("/v1/flow-answers", { body: { token, output: { approved: true } } });
  expect(asKey).toMatchObject({ status: 409, json: { code: "FlowRunRefused" } });
  const json = { method: "POST", headers: { "content-type": "application/json" } };
  const claim = { approved: false, by: "somebody else", form: { note: "too much" } };
  expect((await fetch(url, { ...json, body: JSON.stringify(claim) })).status).toBe(200);
  expect(await ended(id)).toMatchObject({ output: { approved: false, by: "bob@example.com", form: { note: "too much" } } });
  // The other one comes too late.
  const late = await fetch(urlOf(answers, "ada@example.com"), { ...json, body: JSON.stringify({ approved: true }) });
  expect(late.status).toBe(409);
});

test("a token lies in no file of the host, and is shown again after a crash", { timeout: 60_000 }, async () => {
  const { id, answers } = await ask("secret", { approvers: ["ada@example.com", "bob@example.com"] });
  const told = await Promise.all(
    ["history", "events", "logs"].map(async (what) => JSON.stringify((await host.send(`/v1/flow-runs/${id}/${what}`)).json)),
  );
  host = eventHost(await host.local.crash());
  const { dataDir } = host.local;
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stored = Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
  expect(stored.includes(id)).toBe(true);
  for (const { token } of answers) {
    const [, secret = ""] = String(token).split(".");
    expect(secret).toHaveLength(32);
    for (const text of [stored, ...told]) expect(text.includes(secret)).toBe(false);
  }
  const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
  const again = json["answers"] as readonly Address[];
  expect(again.map(({ token }) => token)).toEqual(answers.map(({ token }) => token));
  const body = JSON.stringify({ approved: true });
  const headers = { "content-type": "application/json" };
  expect((await fetch(urlOf(again, "ada@example.com"), { method: "POST", headers, body })).status).toBe(200);
  expect(await ended(id)).toMatchObject({ output: { approved: true, by: "ada@example.com" } });
});
