/**
 * Prints what the web globals cost a context: untouched, and at the first touch of each, in milliseconds
 * (lower decile of 300 contexts in one isolate; on a busy machine the rest tells of the neighbours). Run it with
 * `node --no-node-snapshot`.
 */
import type { Script } from "isolated-vm";
import { loadAddon, webScript } from "./web-context.ts";

const USES: Readonly<Record<string, string>> = {
  URL: "new URL('https://a.example/b?c=1').searchParams.get('c')",
  "URL (not ASCII)": "new URL('https://bücher.example/').href",
  URLSearchParams: "new URLSearchParams('a=1').get('a')",
  TextEncoder: "new TextEncoder().encode('abc')",
  TextDecoder: "new TextDecoder().decode(new Uint8Array([97]))",
  "TextDecoder (Shift_JIS)": "new TextDecoder('shift_jis').decode(new Uint8Array([0x93, 0xfa]))",
  atob: "atob('YQ==')",
  Headers: "new Headers({ a: 'b' }).get('a')",
  Request: "new Request('https://a.example/', { method: 'POST', body: 'b' })",
  Response: "new Response('b', { headers: { a: 'b' } })",
  "Response.json": "Response.json({ a: 1 })",
  FormData: "new FormData().append('a', 'b')",
  Blob: "new Blob(['a'])",
  Event: "new EventTarget().dispatchEvent(new Event('a'))",
  AbortController: "new AbortController().abort()",
  DOMException: "new DOMException('m', 'AbortError')",
  structuredClone: "structuredClone({ a: new Map([[1, 2]]) })",
  "crypto.randomUUID": "crypto.randomUUID()",
  ReadableStream: "new ReadableStream()",
  setTimeout: "setTimeout(() => {}, 1)",
  performance: "performance.now()",
  AsyncLocalStorage: "new AsyncLocalStorage().run(1, () => {})",
};

const ivm = loadAddon();
const source = await webScript();
const isolate = new ivm.Isolate({ memoryLimit: 128 });
const compileStart = performance.now();
const script = isolate.compileScriptSync(source);
const compileMs = performance.now() - compileStart;

function lowerDecile(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 10)] ?? Number.NaN;
}

/** What the script and then `use` cost in a fresh context. */
function measure(script: Script, use: string): { readonly scriptMs: number; readonly useMs: number } {
  const used = isolate.compileScriptSync(`${use};0`);
  const times: { readonly scriptMs: number; readonly useMs: number }[] = [];
  for (let round = 0; round < 300; round++) {
    const context = isolate.createContextSync();
    context.global.setSync("$sync", new ivm.Callback(() => "+AAAAAAAAAAAAAAAAAAAAAA=="));
    context.global.setSync("$send", new ivm.Callback(() => undefined));
    context.global.setSync("$kind", "action");
    const ready = performance.now();
    script.runSync(context);
    const ran = performance.now();
    used.runSync(context);
    times.push({ scriptMs: ran - ready, useMs: performance.now() - ran });
    context.release();
  }
  return { scriptMs: lowerDecile(times.map(({ scriptMs }) => scriptMs)), useMs: lowerDecile(times.map(({ useMs }) => useMs)) };
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
const untouchedMs = measure(script, "1").scriptMs - measure(isolate.compileScriptSync(await webScript({ empty: true })), "1").scriptMs;
const firstTouchMs = Object.fromEntries(Object.entries(USES).map(([name, use]) => [name, rounded(measure(script, use).useMs)]));
console.log(
  JSON.stringify({ scriptBytes: source.length, compileMs: rounded(compileMs), untouchedMs: rounded(untouchedMs), firstTouchMs }, null, 2),
);
isolate.dispose();
