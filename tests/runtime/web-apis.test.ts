/** The web globals in a real jail: what needs the runner's process (crypto, names that are not ASCII) and the host (fetch, timers). */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import { createSystemRuntime } from "../../packages/server/src/runtime/system-runtime.ts";
import { createSandbox, type JailedSandbox } from "../../packages/server/src/sandbox/pool.ts";

let sandbox: JailedSandbox;
beforeAll(async () => {
  sandbox = await createSandbox({ runtime: createSystemRuntime(), warmRunners: 1 });
});
afterAll(() => sandbox.close());

/** Runs `body`, an async function, as one function of the kind; its result is what it returns, or the text of its failure. */
async function run(kind: "query" | "action", body: string): Promise<unknown> {
  const isKind = kind === "query" ? "isQuery" : "isAction";
  const invoke = kind === "query" ? "invokeQuery: async () =>" : "invokeAction: async () =>";
  const script = `globalThis.__plinthModules = { m: () => ({ f: Object.assign(() => {}, { ${isKind}: true, isPublic: true, exportArgs: () => '{"type":"any"}', exportReturns: () => "null", ${invoke} JSON.stringify(await (async () => { ${body} })()) }) }) };`;
  const version = { digest: createHash("sha256").update(script).digest("hex"), script: async () => script, sourceMap: async () => null };
  const signal = new AbortController().signal;
  const lease = await sandbox.acquire({ tenant: "t", branch: "main", lane: "action", version }, signal);
  const request = {
    version,
    kind: kind as FunctionKind,
    path: "m:f",
    argsText: "[{}]",
    requestId: "r",
    seed: "0123456789abcdef0123456789abcdef",
    nowMs: 1e12,
    tables: {},
    env: {},
    limits: LIMITS,
  };
  try {
    const outcome = await lease.run(request, { call: async (_op, argText) => answer(argText), log: () => undefined }, signal);
    return outcome.kind === "ok" ? JSON.parse(outcome.valueText) : "message" in outcome ? outcome.message : outcome.kind;
  } finally {
    lease.release();
  }
}

const LIMITS = {
  cpuMs: 5000,
  wallMs: 20_000,
  heapBytes: 64 * 1024 * 1024,
  resultBytes: 1024 * 1024,
  logLines: 10,
  logLineBytes: 1000,
  pendingHostCalls: 64,
};

/** The host's answer to a fetch. */
function answer(argText: string): string {
  const { url } = JSON.parse(argText) as { readonly url: string };
  return JSON.stringify({
    url,
    status: 200,
    statusText: "OK",
    headers: [["content-type", "text/plain"]],
    redirected: false,
    bodyBase64: btoa("fetched"),
  });
}

test("crypto is done by the runner's process", async () => {
  const result = await run(
    "action",
    `
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))).toHex();
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]); const data = new Uint8Array([1, 2]);
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, data);
    const password = await crypto.subtle.importKey("raw", data, "PBKDF2", false, ["deriveBits"]);
    return [digest.slice(0, 8), await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, pair.publicKey, signature, data), (await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: data, iterations: 1000 }, password, 128)).byteLength, crypto.randomUUID().length, new Set(crypto.getRandomValues(new Uint8Array(100))).size > 20];`,
  );
  expect(result).toEqual(["ba7816bf", true, 16, 36, true]);
});

test("queries may use what does not depend on chance and time", async () => {
  const result = await run(
    "query",
    `
    const refused = (work) => { try { work(); return "allowed"; } catch (error) { return error.message.split(". ")[0]; } };
    return [new URL("https://bücher.example/ä?q=ö").href, (await crypto.subtle.digest("SHA-1", new Uint8Array())).byteLength, structuredClone(new Map([[1, { a: [2] }]])).get(1).a[0], atob(btoa("x")), new TextDecoder("shift_jis").decode(new Uint8Array([0x93, 0xfa])), await new Response("body").text(), await new Blob(["blob"]).text(), refused(() => setTimeout(() => {}, 1)), refused(() => crypto.randomUUID()), await fetch("https://a.example/").catch((error) => error.message.split(". ")[0]), performance.now()];`,
  );
  expect(result).toEqual([
    "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6",
    20,
    2,
    "x",
    "日",
    "body",
    "blob",
    "Can't use setTimeout in queries and mutations",
    "Can't use crypto.randomUUID() in queries and mutations",
    "Can't use fetch() in queries and mutations",
    0,
  ]);
});

test("actions fetch, wait and abort", async () => {
  const result = await run(
    "action",
    `
    const response = await fetch("https://a.example/p", { method: "POST", body: new URLSearchParams({ a: "1" }), headers: { "x-a": "1" } }); const seen = [];
    await new Promise((resolve) => { const interval = setInterval(() => { seen.push(seen.length); if (seen.length === 3) { clearInterval(interval); resolve(); } }, 2); });
    const timeout = await new Promise((resolve) => { const signal = AbortSignal.timeout(5); signal.addEventListener("abort", () => resolve(signal.reason.name)); });
    const storage = new AsyncLocalStorage(); const kept = await storage.run("store", async () => { await new Promise((resolve) => setTimeout(resolve, 1)); return storage.getStore(); });
    return [response.status, response.url, await response.text(), seen, timeout, kept];`,
  );
  expect(result).toEqual([200, "https://a.example/p", "fetched", [0, 1, 2], "TimeoutError", "store"]);
});

test("what is thrown where nobody waits ends the call", async () => {
  expect(
    await run(
      "action",
      `setTimeout(() => { throw new TypeError("lost"); }, 1); await new Promise((resolve) => setTimeout(resolve, 500)); return "late";`,
    ),
  ).toContain("lost");
});
