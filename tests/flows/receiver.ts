/** Another system, which notes under what keys it was asked for what. Now and then it breaks the connection, before or after its work. */
import { createServer } from "node:http";

export interface Receiver {
  readonly port: number;
  /** Keys by what was asked for, which is one step of one run. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>;
  readonly received: number;
  close(): Promise<void>;
}

const BROKEN_EVERY = 17;

export async function receive(): Promise<Receiver> {
  const keys = new Map<string, Set<string>>();
  let received = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      received += 1;
      keys.set(body, (keys.get(body) ?? new Set<string>()).add(String(request.headers["idempotency-key"])));
      if (received % BROKEN_EVERY === 0) response.destroy();
      else response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    keys,
    get received() {
      return received;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
