/** `artifacts.*` as clients of the contract call them: a place, a form to its URL, and the way back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { at, textAt, type Answer } from "../../packages/server/src/doors/test/test-host.ts";
import { bringAccount, startCalledHost, succeed, type CalledHost } from "./test-callers.ts";

let host: CalledHost;
/** Tokens of accounts: two without bounds, one that only reads. */
let token: string;
let otherToken: string;
let readingToken: string;

const bring = async (name: string, scopes = "") => (await bringAccount(host, name, scopes)).token;

beforeAll(async () => {
  host = await startCalledHost();
  token = await bring("leaves");
  otherToken = await bring("other");
  readingToken = await bring("reads", "  scopes:\n    self:\n      - scope: artifact:read\n");
}, 90_000);
afterAll(() => host.remove());

const call = (name: string, body: unknown, key = token): Promise<Answer> =>
  host.send(`/${name}`, { body, key: null, headers: { authorization: key } });

/** As clients build it: the fields that they were given, then the file. */
function form(prepared: Answer, bytes: Uint8Array<ArrayBuffer> | string): FormData {
  const data = new FormData();
  for (const { key, value } of at(prepared, "form_data") as readonly { readonly key: string; readonly value: string }[])
    data.append(key, value);
  data.append("file", new Blob([bytes]), "file");
  return data;
}

const send = async (url: string, data: FormData) => (await fetch(url, { method: "POST", body: data })).status;

test("a file is prepared, sent, looked at and read", async () => {
  const prepared = await call("artifacts.prepare", { file_name: "report ä.csv", file_type: "text/csv" });
  expect(prepared.status, prepared.text).toBe(200);
  const id = textAt(prepared, "id");
  const url = textAt(prepared, "url");
  expect(at(await call("artifacts.get", { id }), "artifact", "file")).toEqual({ name: "report ä.csv", type: "text/csv" });
  expect((await call("artifacts.locate", { id })).json).toMatchObject({ type: "not_found" });
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251);
  expect(await send(url, form(prepared, "an answer that was lost"))).toBe(200);
  expect(await send(url, form(prepared, bytes))).toBe(200);
  const got = await host.send(`/internal/artifacts.get?id=${encodeURIComponent(`don:core:x:devo/1:artifact/${id}`)}`, {
    key: null,
    headers: { authorization: `Bearer ${token}` },
  });
  expect(got.json).toMatchObject({ artifact: { id, file: { name: "report ä.csv", size: bytes.length, type: "text/csv" } } });
  const located = await call("artifacts.locate", { id });
  expect(Date.parse(textAt(located, "expires_at"))).toBeGreaterThan(Date.now());
  const response = await fetch(textAt(located, "url"));
  expect([response.status, response.headers.get("content-disposition"), response.headers.get("x-content-type-options")]).toEqual([
    ...[200, "attachment", "nosniff"],
  ]);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  // Applications with a key read it too, as they read files of emails.
  expect((await host.send(`/v1/artefacts/${id}`)).status).toBe(200);
});

test("U1 a URL opens one file for one purpose; U3 a snap-in reaches its own files", async () => {
  const prepared = await call("artifacts.prepare", { file_name: "a.txt" });
  const id = textAt(prepared, "id");
  const url = textAt(prepared, "url");
  const another = await call("artifacts.prepare", { file_name: "b.txt" });
  expect(await send(url, form(prepared, "mine"))).toBe(200);
  const download = textAt(await call("artifacts.locate", { id }), "url");
  const parts = download.split("/");
  const later = [...parts.slice(0, -2), String(Number(parts.at(-2)) + 1), parts.at(-1)].join("/");
  for (const wrong of [
    url,
    later,
    `${download.slice(0, -1)}!`,
    download.replace(id, textAt(another, "id")),
    download.replace("/main/", "/none/"),
  ])
    expect((await fetch(wrong)).status, wrong).toBe(404);
  expect(await send(download, form(prepared, "stolen"))).toBe(404);
  expect(await send(url.replace(id, textAt(another, "id")), form(prepared, "stolen"))).toBe(404);
  expect(await (await fetch(download)).text()).toBe("mine");
  for (const name of ["artifacts.get", "artifacts.locate"]) {
    expect((await call(name, { id }, otherToken)).status).toBe(404);
    for (const unknown of [`${id.slice(0, -1)}g`, "", 7, undefined]) expect((await call(name, { id: unknown })).status).toBe(404);
  }
});

test("what is wrong is refused with the contract's errors", async () => {
  expect((await call("artifacts.prepare", { file_name: "a" }, readingToken)).status).toBe(403);
  expect((await call("artifacts.get", { id: "x" }, readingToken)).status).toBe(404);
  expect((await call("artifacts.prepare", {})).status).toBe(400);
  expect((await call("artifacts.prepare", { file_name: "x".repeat(limit("artefactNameCharsMax") + 1) })).status).toBe(413);
  const strange = await succeed(call("artifacts.prepare", { file_name: "../../etc/passwd\r\n", file_type: "text/html; <script>" }));
  expect(at(await call("artifacts.get", { id: textAt(strange, "id") }), "artifact", "file", "type")).toBe("application/octet-stream");
  const url = textAt(strange, "url");
  const noFile = new FormData();
  noFile.append("field", "x");
  expect(await send(url, noFile)).toBe(400);
  expect((await fetch(url, { method: "POST", body: new Uint8Array(limit("artefactUploadBytesMax") + 1) })).status).toBeGreaterThanOrEqual(
    400,
  );
  expect((await call("artifacts.locate", { id: textAt(strange, "id") })).status).toBe(404);
});
