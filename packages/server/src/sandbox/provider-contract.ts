/**
 * The contract of providers (L1–L4 in `provider.ts`) as a test suite that every provider runs: what can be shown of it from
 * outside, with a program of node's that evaluates what it is sent.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isAlive } from "./jail/process-stats.ts";
import type { Cell, CellSpec, SandboxProvider } from "./provider.ts";
import type { ProgramImage } from "./runtimes/runtime-adapter.ts";

const MIB = 2 ** 20;
const PATIENCE_MS = 20_000;

/** What a suite needs of its provider. `image` is one of `contractProgram`, with node as the interpreter. */
export interface ProviderUnderTest {
  readonly provider: SandboxProvider;
  readonly image: ProgramImage;
}

/**
 * The program: evaluates lines of JavaScript that come over the control channel, and answers with lines of JSON. It knows
 * `--control=<read>,<write>` as runners do.
 */
export const CONTRACT_PROGRAM = `"use strict";
const net = require("node:net");
const descriptors = /--control=(\\d+),(\\d+)$/.exec(process.argv.at(-1));
const control = new net.Socket(descriptors === null ? { fd: 3 } : { fd: Number(descriptors[1]), readable: true, writable: false });
const out = descriptors === null ? control : new net.Socket({ fd: Number(descriptors[2]), readable: false, writable: true });
const kept = [];
let text = "";
control.on("data", (chunk) => {
  text += chunk;
  const lines = text.split("\\n");
  text = lines.pop();
  for (const line of lines) answer(JSON.parse(line));
});
control.on("end", () => process.exit(0));
async function answer(code) {
  let reply;
  try { reply = { value: (await new Function("require", "kept", "return (async () => {" + code + "})()")(require, kept)) ?? null }; }
  catch (error) { reply = { error: String(error.code ?? error.message) }; }
  out.write(JSON.stringify(reply) + "\\n");
}
`;

/** Registers the suite. `skip` names what a provider cannot offer on this machine, with the reason. */
export function providerContract(name: string, open: () => Promise<ProviderUnderTest>, skip: { readonly scratch?: string } = {}): void {
  describe(`provider ${name}`, () => {
    let under: ProviderUnderTest;
    let folder: string;
    const cells: Cell[] = [];

    beforeAll(async () => {
      under = await open();
      folder = await mkdtemp(join(tmpdir(), "plinth-provider-"));
      await chmod(folder, 0o755);
      await writeFile(join(folder, "file.txt"), "of the package", { mode: 0o644 });
    }, 120_000);

    afterEach(async () => {
      for (const cell of cells) cell.kill();
      await Promise.all(cells.splice(0).map((cell) => cell.exited));
    });

    afterAll(async () => {
      await under.provider.close();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    function start(spec: Partial<CellSpec> = {}): Talk {
      const cell = under.provider.start({ image: under.image, scratchBytes: 0, memoryBytesMax: 256 * MIB, ...spec });
      cells.push(cell);
      return new Talk(cell);
    }

    const options = { timeout: 60_000 };

    test("a cell starts and carries bytes both ways", options, async () => {
      const talk = start();
      expect(await talk.ask("return 1 + 1")).toEqual({ value: 2 });
      const long = "x".repeat(3 * MIB);
      expect(await talk.ask(`return ${JSON.stringify(long)}.length`)).toEqual({ value: long.length });
      expect(await talk.ask("return 'y'.repeat(3 * 1024 * 1024)")).toEqual({ value: "y".repeat(3 * MIB) });
    });

    test("L1 the package is there and cannot be changed", options, async () => {
      const talk = start({ packageFolder: folder });
      expect(await talk.ask('return require("fs").readFileSync("/package/file.txt", "utf8")')).toEqual({ value: "of the package" });
      for (const code of [
        'writeFileSync("/package/file.txt", "x")',
        'writeFileSync("/package/new", "x")',
        'unlinkSync("/package/file.txt")',
        'mkdirSync("/package/folder")',
      ])
        expect(await talk.ask(`require("fs").${code}`), code).toHaveProperty("error");
      expect(await readFile(join(folder, "file.txt"), "utf8")).toBe("of the package");
      expect(await start().ask('return require("fs").existsSync("/package")')).toEqual({ value: false });
    });

    test("L1 nothing else can be written, and there is no scratch folder unless asked for", options, async () => {
      const talk = start();
      for (const path of ["/x", "/app/x", "/usr/x", "/etc/x", "/scratch/x", "/tmp/x", "/dev/shm/x", "/root/x", "/home/x"])
        expect(await talk.ask(`require("fs").writeFileSync(${JSON.stringify(path)}, "x")`), path).toHaveProperty("error");
    });

    test.skipIf(skip.scratch !== undefined)("L4 the scratch folder is bounded and new for each cell", options, async () => {
      const talk = start({ scratchBytes: 2 * MIB });
      expect(
        await talk.ask(
          'const fs = require("fs"); fs.mkdirSync("/scratch/a"); fs.writeFileSync("/scratch/a/b", "text"); return fs.readFileSync("/scratch/a/b", "utf8")',
        ),
      ).toEqual({ value: "text" });
      expect(
        await talk.ask(
          'const fs = require("fs"); for (let i = 0; i < 64; i++) fs.writeFileSync("/scratch/" + i, Buffer.alloc(128 * 1024))',
        ),
      ).toEqual({ error: "ENOSPC" });
      expect(await talk.ask('require("fs").writeFileSync("/app/x", "x")')).toHaveProperty("error");
      expect(await start({ scratchBytes: 2 * MIB }).ask('return require("fs").readdirSync("/scratch")')).toEqual({ value: [] });
    });

    test("L1 there is no network", options, async () => {
      const talk = start();
      for (const host of ["127.0.0.1", "192.0.2.1", "169.254.169.254"])
        expect(
          await talk.ask(
            `return new Promise((resolve, reject) => { const socket = require("net").connect({ host: "${host}", port: 80, timeout: 500 }); socket.on("connect", () => resolve("connected")); socket.on("error", reject); socket.on("timeout", () => reject(new Error("timeout"))); })`,
          ),
          host,
        ).toHaveProperty("error");
    });

    test("L1 neither files of the host nor its environment are seen", options, async () => {
      const talk = start();
      for (const path of [folder, "/root/.bashrc", "/etc/shadow", "/var/run/docker.sock"])
        expect(await talk.ask(`require("fs").readFileSync(${JSON.stringify(path)})`), path).toHaveProperty("error");
      const names = await talk.ask("return Object.keys(process.env)");
      for (const name of ["HOME", "USER", "NODE_OPTIONS", "VITEST"]) expect(JSON.stringify(names)).not.toContain(`"${name}"`);
    });

    test("L4 memory is bounded", options, async () => {
      const talk = start({ memoryBytesMax: 64 * MIB });
      await talk.ask("return 1");
      expect(await talk.cell.limitMemory()).toBe(true);
      const answer = await talk.ask("for (let i = 0; i < 64; i++) kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); return 'unlimited'");
      expect(answer).not.toEqual({ value: "unlimited" });
    });

    test("what it prints is kept, up to a bound", options, async () => {
      const talk = start();
      await talk.ask('require("fs").writeSync(1, "to stdout\\n"); require("fs").writeSync(2, "to stderr\\n")');
      await expect.poll(() => talk.cell.output, { timeout: PATIENCE_MS }).toContain("to stderr");
      expect(talk.cell.output).toContain("to stdout");
      await talk.ask('for (let i = 0; i < 400; i++) require("fs").writeSync(1, "z".repeat(1000))');
      expect(talk.cell.output.length).toBeLessThanOrEqual(64 * 1024);
    });

    test("an end of its own gives its code", options, async () => {
      const talk = start();
      await talk.ask("return 1");
      void talk.ask("process.exit(7)");
      expect(await talk.cell.exited).toMatchObject({ code: 7, outOfMemory: false });
    });

    test("L3 kill leaves nothing, also in the middle of work", options, async () => {
      const talk = start();
      await talk.ask("return 1");
      const pid = talk.cell.insidePid();
      void talk.ask("for (;;);");
      talk.cell.kill();
      const exit = await talk.cell.exited;
      expect(exit.code).toBeGreaterThan(0);
      if (pid !== undefined) expect(isAlive(pid)).toBe(false);
      expect(await talk.ask("return 1")).toBe("ended");
    });

    test("L3 a cell that is killed before it is ready leaves nothing", options, async () => {
      const talk = start();
      talk.cell.kill();
      await talk.cell.exited;
    });

    test("the end of the channel ends the program", options, async () => {
      const talk = start();
      await talk.ask("return 1");
      talk.cell.control.end();
      await talk.cell.exited;
    });
  });
}

type Answer = { readonly value: unknown } | { readonly error: unknown } | "ended";

/** Questions and answers, one line each. */
class Talk {
  readonly cell: Cell;
  readonly #answers: string[] = [];
  #text = "";
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(cell: Cell) {
    this.cell = cell;
    cell.control.on("error", () => undefined);
    cell.control.on("data", (chunk: Uint8Array) => this.#received(Buffer.from(chunk).toString()));
    void cell.exited.then(() => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  async ask(code: string): Promise<Answer> {
    if (!this.#ended && this.cell.control.writable) this.cell.control.write(`${JSON.stringify(code)}\n`);
    while (this.#answers.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const line = this.#answers.shift();
    if (line === undefined) return "ended";
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null && "value" in parsed) return { value: parsed.value };
    return { error: typeof parsed === "object" && parsed !== null && "error" in parsed ? parsed.error : line };
  }

  #received(text: string): void {
    this.#text += text;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    this.#answers.push(...lines);
    if (lines.length > 0) this.#wake?.();
  }
}
