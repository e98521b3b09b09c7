/** The packages that the benchmarks push and call, as a user does: over the API of a started host. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeTar } from "@plinth/core/archive/tar-writer.ts";
import { call, send, type Json } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { percentile } from "./load.ts";

export type PackageFolder = "node" | "python" | "activated" | "listener" | "synced" | "flooded";

export const PACKAGES = join(import.meta.dirname, "packages");

/** What handlers get: a payload of the usual size. */
export const ARGS = {
  name: "bench",
  items: Array.from({ length: 10 }, (_, index) => ({ id: `item-${index}`, amount: index })),
};

/** What a handler of the benchmarks answers to `ARGS`. */
export const ANSWER = '"value":{"text":"Hello bench","total":45,"count":10}';

/** Uploads a folder as a package; `change` makes files of its own. */
export async function push(
  connection: Connection,
  options: { readonly folder: PackageFolder; readonly name: string; readonly change?: (path: string, text: string) => string },
): Promise<void> {
  const { folder, name, change = (_, text) => text } = options;
  const root = join(PACKAGES, folder);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => statSync(join(root, path)).isFile());
  const entries = files.toSorted().map((path) => ({ path, bytes: Buffer.from(change(path, readFileSync(join(root, path), "utf8"))) }));
  const response = await fetch(`${connection.url}/v1/packages/${name}/versions`, {
    method: "POST",
    headers: { authorization: `Bearer ${connection.key ?? ""}`, "content-type": "application/gzip" },
    body: gzipSync(Buffer.concat([...writeTar(entries)])),
  });
  if (!response.ok) throw new Error(`the push of ${name} was answered with ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

export function functionPath(name: string): string {
  return `/v1/functions/${encodeURIComponent(`@${name}/greet`)}/execute`;
}

/** Calls the handler of a package; the time it took, in milliseconds. */
export async function timeHandler(connection: Connection, name: string): Promise<number> {
  return await timeCall(connection, { path: functionPath(name), body: { args: ARGS }, expected: ANSWER });
}

export async function timeCall(
  connection: Connection,
  request: { readonly path: string; readonly body: Json; readonly expected: string },
): Promise<number> {
  const fromMs = performance.now();
  const response = await send(connection, request.path, { body: request.body });
  const text = await response.text();
  const tookMs = performance.now() - fromMs;
  if (!text.includes(request.expected)) throw new Error(`the host answered ${response.status}: ${text.slice(0, 500)}`);
  return tookMs;
}

/** Waits until so many processes of the host are loaded and idle. */
export async function untilReady(connection: Connection, count: number): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    const health = (await call(connection, "/healthz")) as { readonly runners?: { readonly warm?: number } };
    if ((health.runners?.warm ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no process became ready within ten seconds");
}

/** p50 and p99 of times in any order. */
export function quantiles(timesMs: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** Change of a package: its processes serve one call after the other. */
export function reusingProcesses(path: string, text: string): string {
  return path === "manifest.yaml" ? text.replace("reuse: false", "reuse: true") : text;
}

/** Change of a package: a version of its own of the same code. */
export function variant(mark: string): (path: string, text: string) => string {
  return (path, text) => (path.endsWith(".js") ? `${text}\n// ${mark}\n` : path.endsWith(".py") ? `${text}\n# ${mark}\n` : text);
}
