import { expect, test } from "vitest";
import { flowAddress, isSameSecret, newSecret, parseFlowAddress } from "./flow-address.ts";
import { contextOfRequest, responseOf } from "./webhook.ts";

const request = (body: string, headers: readonly (readonly [string, string])[] = [], query = "") => ({
  ...{ method: "POST", query, headers, body: Buffer.from(body) },
});

test("H1 an address says where it is and has the secret; any other text is none", () => {
  const secret = newSecret({ randomBytes: (count) => new Uint8Array(count).fill(7) });
  const address = { scope: { tenant: "acme", branch: "main" }, flow: "order", secret };
  expect(parseFlowAddress(flowAddress(address))).toEqual(address);
  const place = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const others = ["", ".", "a.b", `.${secret}`, `${place(["a", "b"])}.${secret}`, `${place(["a", "b", 1])}.${secret}`];
  const more = [`${place({ length: 3 })}.${secret}`, `${place(null)}.${secret}`, `!.${secret}`, flowAddress(address).slice(0, -1)];
  for (const text of [...others, ...more, `${"A".repeat(2000)}.${secret}`]) expect(parseFlowAddress(text), text).toBeUndefined();
  expect(isSameSecret(secret, secret)).toBe(true);
  expect(isSameSecret(secret, "")).toBe(false);
  expect(isSameSecret(secret, `${secret.slice(1)}x`)).toBe(false);
});

test("the context is the body as its type says, or the query", () => {
  const json = [["Content-Type", "application/json; charset=utf-8"]] as const;
  expect(contextOfRequest({}, request('{"a":1}', json))).toEqual({ a: 1 });
  expect(() => contextOfRequest({}, request("{", json))).toThrow(expect.objectContaining({ code: "ArgumentValidation" }));
  expect(() => contextOfRequest({}, request("[".repeat(100_000), json))).toThrow();
  expect(contextOfRequest({}, request("a=1&b=2&b=3", [["content-type", "application/x-www-form-urlencoded"]]))).toEqual({
    ...{ a: "1", b: ["2", "3"] },
  });
  expect(contextOfRequest({}, request("a=1"))).toBe("a=1");
  expect(contextOfRequest({}, request("", [], "x=1"))).toEqual({ x: "1" });
  const whole = contextOfRequest({ context: "request" }, request("{}", [["__proto__", "x"], ...json], "__proto__=1"));
  expect(JSON.stringify(whole)).toBe(
    '{"method":"POST","query":{"__proto__":"1"},"headers":{"__proto__":"x","content-type":"application/json; charset=utf-8"},"body":{}}',
  );
});

test("a form of very many names is read in one pass", () => {
  const names = Array.from({ length: 100_000 }, (_, i) => i.toString(36));
  const form = [["content-type", "application/x-www-form-urlencoded"]] as const;
  const context = contextOfRequest({}, request(names.join("&"), form));
  expect(Object.keys(Object(context))).toHaveLength(names.length);
}, 20_000);

test("an output of status, headers and body is the response; any other is its body", () => {
  expect(responseOf({ status: 404, body: "no" })).toEqual({ status: 404, headers: [], body: "no" });
  expect(responseOf({ status: 201, headers: { a: "b", c: 1 } })).toEqual({ status: 201, headers: [["a", "b"]], body: "" });
  for (const output of [
    null,
    7,
    { status: "done" },
    { status: 99 },
    { status: 700 },
    { status: 200, more: 1 },
    { status: 200, headers: [] },
  ])
    expect(responseOf(output)).toMatchObject({ status: 200, body: JSON.stringify(output) });
});
