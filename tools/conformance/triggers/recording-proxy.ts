/** Stands between packages and the host: it passes their calls on as they are, and notes them and how they were answered. */
import { once } from "node:events";
import { createServer, request as requestTo, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The beginning of an answer that is a refusal. */
  readonly refusal: string;
}

export interface RecordingProxy {
  readonly url: string;
  readonly port: number;
  /** Calls since the last call of this. */
  take(): readonly RecordedCall[];
  close(): void;
}

const REFUSAL_CHARS = 300;
/** What comes from the world outside, and not from packages. */
const SENT_IN = /^\/(?:v1\/(?:events|email)\/|internal\/event-sources\.invoke)/;

export async function startRecordingProxy(hostPort: number): Promise<RecordingProxy> {
  let calls: RecordedCall[] = [];
  const server = createServer((request, response) => {
    passOn(hostPort, request, response, (call) => {
      if (!SENT_IN.test(call.path)) calls.push(call);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    take() {
      const taken = calls;
      calls = [];
      return taken;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function passOn(port: number, request: IncomingMessage, response: ServerResponse, record: (call: RecordedCall) => void): void {
  const method = request.method ?? "GET";
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const target = { port, host: "127.0.0.1", path: request.url, method, headers: request.headers, agent: false as const };
  const onward = requestTo(target, (answer) => {
    const status = answer.statusCode ?? 0;
    const start: Buffer[] = [];
    if (status >= 400) answer.on("data", (chunk: Buffer) => void (start.length < 4 && start.push(chunk)));
    answer.once("end", () => record({ method, path, status, refusal: Buffer.concat(start).toString().slice(0, REFUSAL_CHARS) }));
    response.writeHead(status, answer.headers);
    answer.pipe(response);
  });
  onward.once("error", (error) => {
    record({ method, path, status: 0, refusal: error.message });
    response.destroy();
  });
  request.pipe(onward);
}
