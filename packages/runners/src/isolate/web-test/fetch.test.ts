import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ATTEMPT, sameAsNode } from "./same-as-node.ts";
import { WebContext } from "./web-context.ts";

const sent: FetchRequest[] = [];

/** Answers like an echo: what it was asked for is in the body. */
async function echo(_op: string, argText: string): Promise<string> {
  const request: FetchRequest = JSON.parse(argText);
  sent.push(request);
  if (request.url.includes("/refused")) throw new Error("fetch to http://x/refused is refused: port 22 is not allowed.");
  if (request.url.includes("/slow")) await new Promise((resolve) => setTimeout(resolve, 2000).unref());
  const status = Number(new URL(request.url).searchParams.get("status") ?? 200);
  const response: FetchResponse = {
    url: request.url.includes("/moved") ? "https://a.test/end" : request.url,
    status,
    statusText: "Fine",
    headers: [
      ["content-type", "application/json"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ],
    redirected: request.url.includes("/moved"),
    bodyBase64: status === 204 ? "" : (request.bodyBase64 ?? Buffer.from('{"ok":true}').toString("base64")),
  };
  return JSON.stringify(response);
}

let context: WebContext;
beforeAll(async () => {
  context = await WebContext.make({ hostCall: echo });
});
afterAll(() => context.dispose());

describe("the classes of fetch", () => {
  test("Headers", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const headers = new Headers([["B", " 2 "], ["a", "1"], ["Set-Cookie", "x=1"], ["set-cookie", "y=2"]]); headers.append("b", "3"); headers.set("__proto__", "p");
      return [[...headers], headers.get("B"), headers.has("missing"), headers.getSetCookie(), [...headers.keys()], [...new Headers({ c: "4" }).entries()], ["a b", "", "é"].map((name) => attempt(() => new Headers([[name, "1"]])).error), ["a\\r\\nb", "é", "€", "a\\0"].map((value) => attempt(() => new Headers([["n", value]]).get("n"))), Object.prototype.toString.call(headers), (headers.delete("b"), headers.get("b"))];`,
    ));

  test("Response", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const bodies = ["text", new Uint8Array([1, 2, 255]), new URLSearchParams({ a: "1 2" }), new Blob(["b"], { type: "text/x" }), new Uint16Array([1]).buffer, null, undefined, 12];
      const shown = []; for (const body of bodies) { const response = new Response(body); shown.push([response.headers.get("content-type"), response.bodyUsed, response.body === null, [...new Uint8Array(await response.arrayBuffer())], response.bodyUsed]); }
      const json = Response.json({ a: [1] }, { status: 201, statusText: "Made", headers: { x: "y" } }); const copy = json.clone();
      const used = new Response("x"); await used.text(); const again = await used.text().catch((error) => error.name);
      const streamed = new Response(new ReadableStream({ start(controller) { controller.enqueue(new TextEncoder().encode("a€")); controller.close(); } }));
      const chunks = []; for await (const chunk of new Response("abc").body) chunks.push(...chunk);
      return [shown, json.status, json.statusText, json.ok, json.headers.get("content-type"), await json.json(), await copy.text(), again, await streamed.text(), chunks, attempt(() => new Response("x", { status: 204 })).error, attempt(() => new Response(null, { status: 99 })).error, Response.error().type, Response.redirect("https://a/b", 307).headers.get("location"), attempt(() => new Response(null, { statusText: "a\\nb" })).error, await new Response("{").json().catch((error) => error.name), json.url, json.redirected, json.type, await (await new Response("q", { headers: { "content-type": "Text/Plain;Charset=utf-8" } }).blob()).type, [...await new Response("by").bytes()], Object.prototype.toString.call(json)];`,
    ));

  test("Request", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const controller = new AbortController(); const request = new Request("https://a.example/p?q#f", { method: "post", body: "b", headers: { x: "1" }, signal: controller.signal, redirect: "manual" });
      const copy = new Request(request.clone(), { method: "PUT" }); controller.abort("stop");
      return [request.url, request.method, [...request.headers], await copy.text(), copy.method, request.signal.aborted, request.signal.reason, request.redirect, request.bodyUsed, attempt(() => new Request("https://a", { method: "GET", body: "x" })).error, attempt(() => new Request("relative")).error, attempt(() => new Request("https://u:p@a")).error, attempt(() => new Request("https://a", { method: "CONNECT" })).error, attempt(() => new Request("https://a", { method: "b d" })).error, new Request("https://a", { method: "patch" }).method, (await new Request("https://a", { method: "POST", body: new URLSearchParams("a=1") }).formData()).get("a"), Object.prototype.toString.call(request), new Request(new URL("https://b/c")).url, request.credentials, request.mode, request.cache];`,
    ));

  test("FormData, there and back", () =>
    sameAsNode(
      context,
      `
      const data = new FormData(); data.append("a", "1\\n2"); data.append("a", "ü\\"x"); data.append("file", new File(["con\\r\\ntent"], "n\\"ä.txt", { type: "text/plain", lastModified: 5 })); data.append("blob", new Blob([new Uint8Array([0, 255, 13, 10])])); data.set("n", 12);
      const response = new Response(data); const type = response.headers.get("content-type"); const back = await new Response(await response.arrayBuffer(), { headers: { "content-type": type } }).formData();
      const shown = []; for (const [name, value] of back) shown.push([name, typeof value === "string" ? value : [value.name, value.type, [...new Uint8Array(await value.arrayBuffer())], value instanceof File]]);
      data.delete("a"); return [shown, type.startsWith("multipart/form-data; boundary="), [...data.keys()], data.has("a"), data.get("n"), (await new Response("a=1&b=%20", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData()).get("b"), await new Response("x").formData().catch((error) => error.name), await new Response("--x\\r\\nbroken", { headers: { "content-type": "multipart/form-data; boundary=x" } }).formData().catch((error) => error.name)];`,
    ));

  test("Blob and File", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const blob = new Blob(["a€", new Uint8Array([98, 99]), new Blob(["d"]), new Uint8Array([1, 2, 3, 4]).buffer, new DataView(new Uint8Array([9, 101, 9]).buffer, 1, 1), 5, null], { type: "Text/X" });
      const parts = []; for (const args of [[], [1], [1, 3], [-3], [-5, -2], [3, 1], [0, 100], [NaN, 2], [1, 2, "T/Y"], [undefined, -1], [2 ** 53, 1]]) { const piece = blob.slice(...args); parts.push([piece.size, piece.type, await piece.text()]); }
      const file = new File(["x"], "a/b.txt", { type: "t/x", lastModified: 7 }); const chunks = []; for await (const chunk of blob.stream()) chunks.push(...chunk);
      return [blob.size, blob.type, await blob.text(), [...new Uint8Array(await blob.arrayBuffer())], [...await blob.bytes()], parts, chunks, file.name, file.lastModified, file instanceof Blob, file.size, Object.prototype.toString.call(file), new Blob(["a\\r\\nb\\rc\\nd"], { endings: "native" }).size, attempt(() => new Blob("text")).error, attempt(() => new Blob([], { endings: "other" })).error, attempt(() => new File([])).error, new Blob([], { type: "é" }).type, new Blob().size, [...await new Blob([new Uint8Array(200000)]).bytes()].length, attempt(() => new Blob(5)).error];`,
    ));

  test("streams", () =>
    sameAsNode(
      context,
      `
      const seen = []; const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); }, flush(controller) { controller.enqueue("!"); } });
      await ReadableStream.from(["a", "b"]).pipeThrough(upper).pipeTo(new WritableStream({ write(chunk) { seen.push(chunk); }, close() { seen.push("closed"); } }));
      const [left, right] = ReadableStream.from([1, 2]).tee(); const all = async (stream) => { const values = []; for await (const value of stream) values.push(value); return values; };
      const bytes = new ReadableStream({ type: "bytes", pull(controller) { controller.enqueue(new Uint8Array([1, 2, 3])); controller.close(); } }); const reader = bytes.getReader({ mode: "byob" }); const first = await reader.read(new Uint8Array(2));
      const failing = new ReadableStream({ start(controller) { controller.error(new Error("broken")); } }); const controller = new AbortController(); controller.abort("why");
      return [seen, await all(left), await all(right), [...first.value], await all(failing).catch((error) => error.message), await ReadableStream.from([1]).pipeTo(new WritableStream(), { signal: controller.signal }).catch((reason) => reason), new CountQueuingStrategy({ highWaterMark: 3 }).highWaterMark];`,
    ));
});

describe("fetch", () => {
  test("sends what a Request says and gives what the host answers", async () => {
    sent.length = 0;
    const result = await context.run(`
      const response = await fetch("https://a.test/p?q=ü#f", { method: "post", headers: { "X-A": "1", "content-length": "3", connection: "keep-alive", host: "a.test" }, body: JSON.stringify({ a: "€" }) });
      return [response.status, response.ok, response.statusText, response.url, response.redirected, response.type, response.headers.get("content-type"), response.headers.getSetCookie(), await response.json(), response.bodyUsed];`);
    expect(result).toEqual([
      200,
      true,
      "Fine",
      "https://a.test/p?q=%C3%BC",
      false,
      "basic",
      "application/json",
      ["a=1", "b=2"],
      { a: "€" },
      true,
    ]);
    expect(sent).toEqual([
      {
        url: "https://a.test/p?q=%C3%BC#f",
        method: "POST",
        headers: [
          ["content-type", "text/plain;charset=UTF-8"],
          ["x-a", "1"],
        ],
        bodyBase64: Buffer.from('{"a":"€"}').toString("base64"),
        redirect: "follow",
      },
    ]);
  });

  test("bodies of every kind, none, redirects, headers that cannot be changed", async () => {
    sent.length = 0;
    const result = await context.run(`
      await fetch(new Request("https://a.test/", { method: "PUT", body: new Uint8Array([1, 2]) })); await fetch("https://a.test/", { method: "POST", body: new FormData() }); await fetch("https://a.test/", { method: "POST", body: ReadableStream.from([new Uint8Array([7])]), duplex: "half" });
      const plain = await fetch(new URL("https://a.test/")); const none = await fetch("https://a.test/?status=204"); const moved = await fetch("https://a.test/moved");
      let fixed = false; try { plain.headers.set("a", "b"); } catch (error) { fixed = error instanceof TypeError; }
      return [none.status, none.body, moved.url, moved.redirected, fixed, (await fetch("https://a.test/?status=404")).ok];`);
    expect(result).toEqual([204, null, "https://a.test/end", true, true, false]);
    expect(sent.slice(0, 4).map(({ bodyBase64 }) => bodyBase64?.slice(0, 8) ?? null)).toEqual(["AQI=", expect.any(String), "Bw==", null]);
  });

  test("fails as programs expect", async () => {
    const result = await context.run(`
      const failure = (work) => work.then(() => "ok", (error) => [error.name, error.message]);
      const controller = new AbortController(); const slow = failure(fetch("https://a.test/slow", { signal: controller.signal })); controller.abort();
      return [await failure(fetch("https://x/refused")), await slow, await failure(fetch("https://a.test/", { signal: AbortSignal.abort(new RangeError("mine")) })), await failure(fetch("https://a.test/slow", { signal: AbortSignal.timeout(10) })), (await failure(fetch("nope")))[0], (await failure(fetch("https://a.test", { method: "POST", body: new Uint8Array(11 * 1024 * 1024) })))[0]];`);
    expect(result).toEqual([
      ["TypeError", "fetch to http://x/refused is refused: port 22 is not allowed."],
      ["AbortError", "This operation was aborted"],
      ["RangeError", "mine"],
      ["TimeoutError", "The operation was aborted due to timeout"],
      "TypeError",
      "TypeError",
    ]);
  });

  test("credentials of a URL are not repeated", async () => {
    expect(
      await context.run(`return fetch("https://user:secret@a.test/").catch((error) => [error.name, error.message.includes("secret")]);`),
    ).toEqual(["TypeError", false]);
  });

  test("data URLs need no host", async () => {
    sent.length = 0;
    expect(
      await context.run(
        `const response = await fetch("data:text/x;charset=utf-8;base64,aGk="); return [await response.text(), response.headers.get("content-type"), await (await fetch("data:,a%20b")).text()];`,
      ),
    ).toEqual(["hi", "text/x;charset=utf-8", "a b"]);
    expect(sent).toEqual([]);
  });
});
