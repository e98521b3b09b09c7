import { fork } from "node:child_process";
import { createServer } from "node:http";
import { percentile, run } from "./load.ts";

/** What HTTP alone costs on this machine: a `node:http` server in a process of its own that answers a fixed text. */
export async function measureEcho(): Promise<{ readonly p50: number; readonly perSecond: number }> {
  const child = fork(import.meta.filename, ["serve"]);
  try {
    const port = await new Promise<number>((resolve) => child.once("message", (message) => resolve(Number(message))));
    const load = (clients: number, durationMs: number) =>
      run({
        url: new URL(`http://127.0.0.1:${port}/`),
        clients,
        durationMs,
        bodies: [JSON.stringify({ path: "x" })],
        check: () => undefined,
      });
    await load(16, 500);
    const single = await load(1, 1500);
    const many = await load(16, 1500);
    return { p50: percentile(single.latenciesMs, 0.5), perSecond: many.perSecond };
  } finally {
    child.kill();
  }
}

if (process.argv[2] === "serve" && process.send !== undefined) {
  const answer = JSON.stringify({ status: "success", value: "x".repeat(200) });
  const server = createServer((request, response) => {
    request
      .resume()
      .on("end", () => response.writeHead(200, { "content-type": "application/json", "content-length": answer.length }).end(answer));
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" && address !== null ? address.port : 0);
  });
}
