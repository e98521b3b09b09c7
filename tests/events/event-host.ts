/** A real host, a package that tells a server of ours what its automations get, and functions that change documents. */
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { checkedFetch } from "../../packages/server/src/doors/test/documented-answers.ts";
import { archiveOf, type Files } from "../../packages/server/src/packages/test-packages.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

export interface HandlerEvent {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  readonly execution_metadata: { readonly event_type: string; readonly function_name: string };
}

/** Stands for the world that handlers call: says `200`, or what `answer` says. */
export interface Listener {
  readonly port: number;
  readonly received: HandlerEvent[];
  answer: (event: HandlerEvent) => Promise<string> | string;
  close(): Promise<void>;
}

export async function listen(): Promise<Listener> {
  const received: HandlerEvent[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const event = JSON.parse(body) as HandlerEvent;
      received.push(event);
      void Promise.resolve(listener.answer(event)).then((text) => response.end(text));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const listener: Listener = {
    port,
    received,
    answer: () => "ok",
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return listener;
}

export interface PackageOptions {
  readonly name: string;
  readonly port: number;
  /** YAML of `event_sources.organization`. */
  readonly sources: string;
  /** YAML of `automations`. */
  readonly automations: string;
  /** YAML of `config` of the function, and the like. */
  readonly functionFields?: string;
}

/** A package whose function `tell` posts its event, and throws what the answer asks for. */
export function tellingPackage({ name, port, sources, automations, functionFields = "" }: PackageOptions): Files {
  return {
    "manifest.yaml": `version: "2"
name: ${name}
description: Tells what it gets.
service_account:
  display_name: Teller
  scopes:
    self:
      - scope: account:read
event_sources:
  organization:
${sources}functions:
  - name: tell
    description: Tells.
${functionFields}automations:
${automations}plinth:
  runtime: node
  reuse: true
`,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": `
exports.functionFactory = { tell: async ([event]) => {
  const answer = await (await fetch("http://127.0.0.1:${port}/", { method: "POST", body: JSON.stringify(event) })).text();
  if (answer !== "ok") throw new Error(answer);
  return {};
} };`,
  };
}

export interface EventHost {
  readonly local: LocalHost;
  send(path: string, options?: { readonly method?: string; readonly body?: unknown; readonly key?: string }): Promise<Answer>;
  bring(name: string, files: Files): Promise<string>;
  run(path: string, args: unknown): Promise<unknown>;
}

export interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
}

export async function startEventHost(
  listener: Pick<Listener, "port">,
  tenant?: string,
  settings: readonly string[] = [],
): Promise<EventHost> {
  const local = await startLocalHost(["--egress-allow-private", `127.0.0.1:${listener.port}`, "--warm-runners", "1", ...settings]);
  const host = eventHost(local, tenant);
  await deployFolder(local.connection, join(import.meta.dirname, "functions", "convex"));
  return host;
}

export function eventHost(local: LocalHost, tenant?: string): EventHost {
  const url = local.connection.url + (tenant === undefined ? "" : `/t/${tenant}`);
  const headers = { authorization: `Bearer ${local.connection.key ?? ""}` };
  const send: EventHost["send"] = async (path, { method, body, key } = {}) => {
    const isBytes = body instanceof Uint8Array;
    const request = new Request(url + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(key === undefined ? headers : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": isBytes ? "application/gzip" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
    });
    const response = await checkedFetch(request);
    return {
      status: response.status,
      json: (await response.json()) as Record<string, unknown>,
      headers: Object.fromEntries(response.headers),
    };
  };
  return {
    local,
    send,
    bring: async (name, files) => {
      await succeed(send(`/v1/packages/${name}/versions`, { body: archiveOf(files) }));
      const { id } = (await succeed(send("/v1/snap-ins", { body: { package: name } }))).json;
      const active = await succeed(send(`/v1/snap-ins/${String(id)}/activate`, { method: "POST" }));
      if (active.json["state"] !== "active") throw new Error(JSON.stringify(active.json));
      return String(id);
    },
    run: (path, args) => callFunction({ ...local.connection, url }, path, args as never),
  };
}

export async function succeed<T extends Pick<Answer, "status" | "json">>(sent: Promise<T>): Promise<T> {
  const answer = await sent;
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.json)}`);
  return answer;
}

export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, what = "it"): Promise<T> {
  for (let tries = 0; tries < 2500; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} does not come`);
}
