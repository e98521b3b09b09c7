/**
 * What a run costs on this machine without an engine: a `node:http` server that answers when it has asked a plain Node process so many
 * times, over a socket, one after the other, and has put so many rows durably into a bare SQLite table.
 */
import { fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Duplex } from "node:stream";
import { percentile, run } from "./load.ts";

export interface RawWork {
  /** Each computes fibonacci(10). */
  readonly calls: number;
  readonly commits: number;
}

export interface RawSteps {
  readonly what: string;
  readonly p50: number;
  readonly perSecond: number;
}

const PROGRAM = `
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
const socket = new (require("node:net").Socket)({ fd: 3 });
let text = "";
socket.on("data", (chunk) => {
  text += chunk;
  for (let end; (end = text.indexOf("\\n")) >= 0; ) {
    socket.write(fib(Number(text.slice(0, end))) + "\\n");
    text = text.slice(end + 1);
  }
});`;

/** p50 of one client, runs per second of `clients`. */
export async function measureRawSteps({ calls, commits }: RawWork, clients: number): Promise<RawSteps> {
  const child = fork(import.meta.filename, ["serve", `${calls}`, `${commits}`]);
  try {
    const port = await new Promise<number>((resolve) => child.once("message", (message) => resolve(Number(message))));
    const load = (count: number, durationMs: number) =>
      run({ url: new URL(`http://127.0.0.1:${port}/`), clients: count, durationMs, bodies: ["{}"], check: () => undefined });
    await load(clients, 500);
    const single = await load(1, 1500);
    const many = await load(clients, 1500);
    const asked = calls === 0 ? "" : `${calls} calls of a plain Node process and `;
    return {
      what: `node:http, ${asked}${commits} durable inserts into a bare SQLite table`,
      p50: percentile(single.latenciesMs, 0.5),
      perSecond: many.perSecond,
    };
  } finally {
    child.kill();
  }
}

function serve(calls: number, commits: number): void {
  const dataDir = mkdtempSync(join(tmpdir(), "plinth-bench-"));
  const database = new DatabaseSync(join(dataDir, "raw.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entries (key INTEGER PRIMARY KEY, value BLOB)");
  const insert = database.prepare("INSERT INTO entries (value) VALUES (?)");
  const value = new Uint8Array(200).fill(7);
  const ask = startProcess();
  const server = createServer((request, response) => {
    request.resume().on("end", async () => {
      for (let i = 0; i < calls; i += 1) await ask("10");
      for (let i = 0; i < commits; i += 1) insert.run(value);
      response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
    });
  });
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  process.once("SIGTERM", () => process.exit(0));
  process.once("disconnect", () => process.exit(0));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" && address !== null ? address.port : 0);
  });
}

function startProcess(): (line: string) => Promise<string> {
  const child = spawn(process.execPath, ["-e", PROGRAM], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  process.once("exit", () => child.kill());
  const pipe = child.stdio[3];
  if (pipe === null || pipe === undefined || !("write" in pipe)) throw new Error("the extra pipe of a child is a socket");
  const socket = pipe as Duplex;
  const waiting: ((line: string) => void)[] = [];
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      waiting.shift()?.(text.slice(0, end));
      text = text.slice(end + 1);
    }
  });
  return (line) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(`${line}\n`);
    });
}

if (process.argv[2] === "serve" && process.send !== undefined) serve(Number(process.argv[3]), Number(process.argv[4]));
