/** That the check of answers finds what it is for. */
import { expect, test } from "vitest";
import { checkDocumented, type Exchange } from "./documented-answers.ts";

const KEY = { id: "k", tenant: "default", name: "", scopes: ["read"], createdMs: 1, expiresMs: null };

function exchange(method: string, path: string, answer: unknown, more: Partial<Exchange> = {}): Exchange {
  const contentType = "application/json; charset=utf-8";
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  return { method, path, requestType: undefined, requestText: undefined, status: 200, contentType, text, ...more };
}

const events = (text: string) => exchange("POST", "/v1/deploy", text, { contentType: "text/event-stream" });

test.each<Exchange>([
  exchange("GET", "/v1/keys", { keys: [KEY] }),
  exchange("GET", "/t/other/v1/keys?x=1", { keys: [] }),
  exchange("GET", "/v1/keys", { code: "Forbidden", message: "m", next: "n" }, { status: 403 }),
  exchange("GET", "/v1/nothing", { whatever: true }),
  exchange("GET", "/v1/events/dead-letters", { deadLetters: [] }),
  events('event: progress\ndata: {"text":"a"}\n\n: waiting\n\nevent: error\ndata: {"code":"InvalidPackage","message":"m","next":"n"}\n\n'),
])("takes $method $path $text", (given) => {
  expect(() => checkDocumented(given)).not.toThrow();
});

test.each<readonly [string, Exchange]>([
  ["secret", exchange("GET", "/v1/keys", { keys: [{ ...KEY, secret: "s" }] })],
  ["createdMs", exchange("GET", "/t/other/v1/keys", { keys: [{ ...KEY, createdMs: "1" }] })],
  ["must have required property 'keys'", exchange("GET", "/v1/keys", {})],
  ["undocumented 201", exchange("GET", "/v1/keys", { keys: [] }, { status: 201 })],
  ["FunctionNotFound", exchange("GET", "/v1/keys", { code: "FunctionNotFound", message: "m", next: "n" }, { status: 404 })],
  ["the refusal", exchange("GET", "/v1/keys", { code: "NotFound", message: "m" }, { status: 404 })],
  ["undocumented type", exchange("GET", "/v1/keys", "keys", { contentType: "text/plain" })],
  ["undocumented event other", events("event: other\ndata: {}\n\n")],
  ["the event progress", events('event: progress\ndata: {"txt":"a"}\n\n')],
  [
    "the request's body",
    exchange("POST", "/v1/keys", { key: "k", ...KEY }, { status: 201, requestType: "application/json", requestText: '{"scopes":["all"]}' }),
  ],
])("finds %s", (fault, given) => {
  expect(() => checkDocumented(given)).toThrow(fault);
});
