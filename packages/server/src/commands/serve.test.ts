/** The host's program as a process: what it says, how it ends, what it leaves. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "..", "..", "bin", "plinth-host.mjs");
const folder = mkdtempSync(join(tmpdir(), "plinth-serve-"));
const started: ChildProcess[] = [];

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(
  args: readonly string[],
  options: { readonly ipc?: boolean } = {},
): { readonly child: ChildProcess; readonly ready: Promise<Record<string, unknown>>; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe", ...(options.ipc === false ? [] : (["ipc"] as const))],
    env: { PATH: process.env["PATH"] ?? "" },
  });
  started.push(child);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    child,
    ready: new Promise((resolve) => child.once("message", (message) => resolve(message as Record<string, unknown>))),
    ended: new Promise((resolve) => child.once("exit", (code) => resolve({ code, output }))),
  };
}

const serveArgs = (name: string, ...args: readonly string[]) => [
  "serve",
  "--data-dir",
  join(folder, name),
  "--port",
  "0",
  "--http-actions-port",
  "0",
  "--warm-runners",
  "0",
  "--log-level",
  "error",
  ...args,
];

describe("serve", () => {
  it("says when it is ready, and ends in order at a signal", async () => {
    const { child, ready, ended } = run(serveArgs("signal"));
    const message = await ready;
    expect(message).toMatchObject({
      type: "ready",
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      adminKey: expect.stringMatching(/^pla_/),
      pid: child.pid,
    });
    expect((await fetch(`${String(message["url"])}/healthz`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, output: "" });
  });

  it("ends when the process that started it goes away", async () => {
    const { child, ready, ended } = run(serveArgs("disconnect"));
    await ready;
    child.disconnect();
    expect((await ended).code).toBe(0);
  });

  it("ends at once at the second signal", async () => {
    const { child, ready, ended } = run(serveArgs("twice", "--drain-ms", "600000"));
    const { url } = await ready;
    // A request that never ends keeps the host draining.
    const { port } = new URL(String(url));
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => undefined);
    const head =
      "POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    socket.write(head);
    // The host says so when it has the request.
    await once(socket, "data");
    child.kill("SIGINT");
    // Signals that come before the first was seen are one with it.
    const again = setInterval(() => child.kill("SIGINT"), 300);
    expect((await ended).code).toBe(1);
    clearInterval(again);
    socket.destroy();
  });

  it("says in one sentence why it cannot start", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = String(typeof address === "object" && address !== null ? address.port : 0);
    const file = join(folder, "file");
    writeFileSync(file, "");
    const failures = await Promise.all([
      run(serveArgs("port", "--port", port)).ended,
      run(serveArgs("file", "--data-dir", file)).ended,
      run(serveArgs("option", "--prot", "1")).ended,
      run(serveArgs("value", "--port", "many")).ended,
      run(["serv"]).ended,
    ]);
    other.close();
    expect(failures.map(({ code }) => code)).toEqual([7, 7, 4, 4, 4]);
    const [taken, unusable, option, value, command] = failures.map(({ output }) => output);
    expect(taken).toMatch(new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken\\. .*\\n$`));
    expect(unusable).toMatch(/^The data folder .* cannot be used: .*\n$/);
    expect(option).toMatch(/there is no option --prot\. .*\n$/);
    expect(value).toMatch(/--port must be a whole number/);
    expect(command).toMatch(/^There is no command 'serv'/);
    for (const { output } of failures) expect(output).not.toMatch(/\n {4}at |node:/);
  });

  it("explains every setting", async () => {
    const { code, output } = await run(["--help"]).ended;
    expect(code).toBe(0);
    expect(output).toContain("--memory-budget-mib <number>");
    expect(output).toContain("PLINTH_UNSAFE_NO_JAIL");
  });
});
