/**
 * What a handler call costs on this machine without a platform: a `node:http` server hands each request over a socket to one of
 * a few processes, plain Node or plain CPython, which run the same handler of the benchmark's package.
 */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { percentile, run } from "./load.ts";
import { ANSWER, ARGS, PACKAGES } from "./packages.ts";

export interface RawHandlers {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

type Language = "node" | "python";

const NODE_PROGRAM = `
const { functionFactory } = require(process.argv[1]);
const socket = new (require("node:net").Socket)({ fd: 3 });
let text = "";
socket.on("data", async (chunk) => {
  text += chunk;
  for (let end; (end = text.indexOf("\\n")) >= 0; ) {
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    socket.write(JSON.stringify(await functionFactory.greet([{ payload: JSON.parse(line) }])) + "\\n");
  }
});`;

const PYTHON_PROGRAM = `
import json, socket, sys
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
from function_factory import function_factory
channel = socket.socket(fileno=3)
answers = channel.makefile("w", encoding="utf-8")
for line in channel.makefile("r", encoding="utf-8"):
    answers.write(json.dumps(function_factory["greet"]([{"payload": json.loads(line)}]), separators=(",", ":")) + "\\n")
    answers.flush()`;

/** p50 and p99 of one client, calls per second of as many as there are processes. */
export async function measureRawHandlers(language: Language, clients: number): Promise<RawHandlers> {
  const child = fork(import.meta.filename, ["serve", language]);
  try {
    const port = await new Promise<number>((resolve) => child.once("message", (message) => resolve(Number(message))));
    const load = (count: number, durationMs: number) =>
      run({
        url: new URL(`http://127.0.0.1:${port}/`),
        clients: count,
        durationMs,
        bodies: [JSON.stringify({ args: ARGS })],
        check: expectAnswer,
      });
    await load(clients, 500);
    const single = await load(1, 1500);
    const many = await load(clients, 1500);
    return { p50: percentile(single.latenciesMs, 0.5), p99: percentile(single.latenciesMs, 0.99), perSecond: many.perSecond };
  } finally {
    child.kill();
  }
}

export function expectAnswer(body: string): void {
  if (!body.includes(ANSWER)) throw new Error(`the handler answered ${body.slice(0, 300)}`);
}

const PROCESSES = 4;

/** A process that answers one line after the other. */
class Handler {
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #socket: Duplex;
  #text = "";

  constructor(child: ChildProcess) {
    const socket = child.stdio[3];
    if (socket === null || socket === undefined || !("write" in socket)) throw new Error("the extra pipe of a child is a socket");
    this.#socket = socket as Duplex;
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString();
      for (let end = this.#text.indexOf("\n"); end >= 0; end = this.#text.indexOf("\n")) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        this.#waiting.shift()?.(line);
      }
    });
  }

  get busy(): number {
    return this.#waiting.length;
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${line}\n`);
    });
  }
}

function startHandler(language: Language): Handler {
  const [program, ...args] =
    language === "node"
      ? [process.execPath, "-e", NODE_PROGRAM, join(PACKAGES, "node/code/index.js")]
      : ["/usr/bin/python3", "-I", "-S", "-c", PYTHON_PROGRAM, join(PACKAGES, "python/code/function_factory.py")];
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  process.once("exit", () => child.kill());
  return new Handler(child);
}

if (process.argv[2] === "serve" && process.send !== undefined) {
  const language: Language = process.argv[3] === "python" ? "python" : "node";
  const handlers = Array.from({ length: PROCESSES }, () => startHandler(language));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { args } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly args: unknown };
      const handler = handlers.reduce((best, each) => (each.busy < best.busy ? each : best));
      void handler.ask(JSON.stringify(args)).then((line) => {
        const answer = `{"status":"succeeded","value":${line}}`;
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) }).end(answer);
      });
    });
  });
  process.once("SIGTERM", () => process.exit(0));
  process.once("disconnect", () => process.exit(0));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" && address !== null ? address.port : 0);
  });
}
