/** A real host for tests of the doors: on ports of the system's choice, with data of its own and a small app deployed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBundler } from "../../../../cli/src/bundle/bundle.ts";
import { configWith, type Config } from "../../config.ts";
import { startHost, type Host } from "../../host.ts";
import { checkDocumented } from "./documented-answers.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export interface TestHost extends Host {
  readonly dataDir: string;
  /**
   * Sends a request to the API with the operator's key, unless `key` says otherwise (null = none). Rejects when the native API does
   * not keep to its OpenAPI document.
   */
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** A key of a tenant with these scopes. */
  key(
    scopes: readonly string[],
    options?: { readonly tenant?: string; readonly expiresInDays?: number },
  ): Promise<{ readonly key: string; readonly id: string }>;
  remove(): Promise<void>;
}

export interface SendOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: "api" | "site";
}

let bundled: Promise<{ readonly script: string; readonly sourceMap: string }> | undefined;

export async function bundleApp(): Promise<{ readonly script: string; readonly sourceMap: string }> {
  bundled ??= (async () => {
    const bundler = createBundler(join(import.meta.dirname, "..", "fixtures", "app", "convex"));
    try {
      return await bundler.bundle();
    } finally {
      await bundler.dispose();
    }
  })();
  return await bundled;
}

export async function startTestHost(changes: Partial<Config> = {}): Promise<TestHost> {
  const dataDir = changes.dataDir ?? mkdtempSync(join(tmpdir(), "plinth-doors-"));
  const host = await startHost(configWith({ port: 0, httpActionsPort: 0, dataDir, logLevel: "silent", warmRunners: 1, ...changes }));
  const send = async (path: string, options: SendOptions = {}): Promise<Answer> => {
    const key = options.key === undefined ? host.adminKey : options.key;
    const raw = options.body === undefined || typeof options.body === "string" || options.body instanceof Uint8Array;
    const body = raw ? (options.body as string | undefined) : JSON.stringify(options.body);
    const method = options.method ?? (options.body === undefined ? "GET" : "POST");
    const headers = new Headers({
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    });
    const response = await fetch((options.origin === "site" ? host.siteUrl : host.url) + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
    });
    const text = await response.text();
    if (options.origin !== "site")
      checkDocumented({
        method,
        path,
        requestType: headers.get("content-type") ?? undefined,
        requestText: typeof body === "string" ? body : undefined,
        status: response.status,
        contentType: response.headers.get("content-type") ?? "",
        text,
      });
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
  return {
    ...host,
    dataDir,
    send,
    key: async (scopes, { tenant, expiresInDays } = {}) => {
      const prefix = tenant === undefined ? "" : `/t/${tenant}`;
      const body = { scopes, ...(expiresInDays === undefined ? {} : { expiresInDays }) };
      const answer = await send(`${prefix}/v1/keys`, { body });
      return { key: textAt(answer, "key"), id: textAt(answer, "id") };
    },
    remove: async () => {
      await host.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Deploys the app of the fixtures to the tenant. */
export async function deployApp(host: TestHost, tenant?: string): Promise<Answer> {
  return await host.send(`${tenant === undefined ? "" : `/t/${tenant}`}/v1/deploy`, { body: await bundleApp() });
}

/** A part of the answer's JSON. */
export function at(answer: Answer, ...path: readonly (string | number)[]): unknown {
  let value = answer.json;
  for (const part of path) value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  return value;
}

export function textAt(answer: Answer, ...path: readonly (string | number)[]): string {
  const value = at(answer, ...path);
  if (typeof value !== "string") throw new Error(`no text at ${path.join(".")} of ${answer.status} ${answer.text}`);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
