/** Keyrings over a real database and the real egress guard, and another system to talk to: a real HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Database } from "../database/database.ts";
import { openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { createEgress } from "../sandbox/egress/create-egress.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { LogFields } from "../telemetry/log.ts";
import { KeyRing } from "./encryption.ts";
import type { Keyrings } from "./keyrings.ts";
import { openKeyrings } from "./open-keyrings.ts";

export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Of a form in the body. */
  readonly form: URLSearchParams;
}

export type Handler = (request: Received, response: ServerResponse) => void | Promise<void>;

/** The other system: what it received, and how it answers each path. */
export class Provider {
  readonly received: Received[] = [];
  readonly routes = new Map<string, Handler>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get hostPort(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.hostPort}`;
  }

  on(path: string, handler: Handler): void {
    this.routes.set(path, handler);
  }

  /** Answers a path with JSON. */
  json(path: string, value: unknown, status = 200): void {
    this.on(path, (_, response) => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value)));
  }

  requests(path: string): readonly Received[] {
    return this.received.filter(({ url }) => url.pathname === path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "/", this.url);
    const received = { method: request.method ?? "", url, headers: request.headers, body, form: new URLSearchParams(body) };
    this.received.push(received);
    const handler = this.routes.get(url.pathname);
    if (handler === undefined) response.writeHead(404).end();
    else await handler(received, response);
  }
}

/** A clock that tests move. */
export function movableRuntime(): Runtime & { advance(ms: number): void } {
  const system = createSystemRuntime();
  let aheadMs = 0;
  return { ...system, nowMs: () => system.nowMs() + aheadMs, advance: (ms) => void (aheadMs += ms) };
}

export interface TestKeyrings {
  readonly keyrings: Keyrings;
  readonly provider: Provider;
  readonly runtime: ReturnType<typeof movableRuntime>;
  readonly test: TestDatabase;
  readonly logged: { readonly fields: LogFields; readonly message: string }[];
  /** Another instance over the same store, as after a restart or on another host. */
  again(keys?: readonly Uint8Array[], database?: Database): Promise<Keyrings>;
  close(): Promise<void>;
}

export const TEST_KEY = Buffer.alloc(32, 7);

const NO_TOOLS: JailTools = { run: () => Promise.reject(plinthError("NotAvailable", { what: "jq" })) };

/** `tools` are those of a sandbox, for tests that need jq. */
export async function openTestKeyrings(tools: JailTools = NO_TOOLS): Promise<TestKeyrings> {
  const runtime = movableRuntime();
  const test = await openTestDatabase(runtime);
  const provider = new Provider();
  await provider.start();
  const egress = createEgress({ runtime, policy: { allowedPrivate: [provider.hostPort], allowedPorts: [] } });
  const logged: { fields: LogFields; message: string }[] = [];
  const write = (fields: LogFields, message: string) => void logged.push({ fields, message });
  const log = { debug: write, info: write, warn: write, error: write };
  // What keyrings wait for is no longer than a test likes to.
  const shortTimer: Runtime["timer"] = (delayMs, callback) => runtime.timer(delayMs / 10, callback);
  const opened: Keyrings[] = [];
  const again = async (keys: readonly Uint8Array[] = [TEST_KEY], database: Database = test.database) => {
    const ring = new KeyRing(keys, runtime);
    const keyrings = await openKeyrings({
      database,
      ring,
      egress,
      commits: test.store,
      tools,
      runtime: { ...runtime, timer: shortTimer },
      log,
    });
    opened.push(keyrings);
    return keyrings;
  };
  const keyrings = await again();
  const close = async () => {
    for (const each of opened) await each.close();
    await egress.close();
    await provider.stop();
    await test.close();
  };
  return { keyrings, provider, runtime, test, logged, again, close };
}

/** A type as a manifest declares it; what is not given is absent. */
export function typeSpec(spec: Partial<KeyringTypeSpec> & Pick<KeyringTypeSpec, "id" | "kind">): KeyringTypeSpec {
  return {
    name: spec.id,
    description: "",
    isSubdomain: false,
    externalSystemName: null,
    referenceKeyring: null,
    scopes: [],
    scopeDelimiter: " ",
    oauthSecret: null,
    secretConfig: null,
    authorize: null,
    organizationData: null,
    refresh: null,
    revoke: null,
    ...spec,
  };
}

export function call(url: string, rest: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {}) {
  return { url, method: rest.method ?? "GET", headers: rest.headers ?? {}, queryParameters: {} };
}

export function field(id: string, isOptional = false) {
  return { id, name: id, description: "", isOptional };
}
