/**
 * Stands where packages expect the platform that they were written for. It knows what extractors need to hand over their first
 * results, answers everything else with 404, and counts, so that a function that failed because of it can be told apart.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export interface RemotePlatform {
  readonly url: string;
  readonly port: number;
  /** Paths that were asked for since the last call of this, and event types that extractors reported. */
  take(): { readonly paths: readonly string[]; readonly reported: readonly string[] };
  close(): void;
}

export async function startRemotePlatform(): Promise<RemotePlatform> {
  let paths: string[] = [];
  let reported: string[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const path = new URL(request.url ?? "/", "http://platform").pathname;
      paths.push(path);
      if (path === "/callback") reported.push(eventTypeOf(body));
      answer(response, path, url);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    take() {
      const taken = { paths, reported };
      [paths, reported] = [[], []];
      return taken;
    },
    close: () => server.close(),
  };
}

function answer(response: ServerResponse, path: string, url: string): void {
  const body = known(path, url);
  response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(body ?? { message: "not found" }));
}

function known(path: string, url: string): unknown {
  switch (path) {
    case "/callback":
    case "/worker-data.update":
    case "/upload":
    case "/internal/airdrop.artifacts.confirm-upload":
    case "/internal/airdrop.recipe.initial-domain-mappings.install":
      return {};
    case "/internal/airdrop.recipe.blueprints.create":
      return { recipe_blueprint: { id: "blueprint" } };
    case "/internal/snap-ins.get":
      return { snap_in: { imports: [{ name: "import" }], snap_in_version: { slug: "snap-in" } } };
    case "/internal/airdrop.artifacts.upload-url":
      return { artifact_id: "artifact", upload_url: `${url}/upload`, form_data: {} };
    default:
      return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // The one who asked went away; what it asked for counts all the same.
  }
  return Buffer.concat(chunks).toString("utf8");
}

function eventTypeOf(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && "event_type" in json ? String(json.event_type) : "";
  } catch {
    return "";
  }
}
