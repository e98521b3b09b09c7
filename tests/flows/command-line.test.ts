/** Flows by the command line: several files at once, what is wrong with them and where, and runs that are looked for. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../packages/cli/src/client.ts";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, type EventHost } from "../events/event-host.ts";

const MAIN = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const SLOW = { timeout: 120_000 };
let host: EventHost;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "plinth-flow-cli-"));
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 120_000);
afterAll(async () => {
  await host.local.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function plinth(...args: readonly string[]) {
  const { url, key } = host.local.connection;
  const env = { ...process.env, PLINTH_URL: url, PLINTH_ADMIN_KEY: key ?? "", NO_COLOR: "1", FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "flow", ...args], { cwd: folder, env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return { code: await new Promise((resolve) => child.once("close", resolve)), out, err };
}

function write(file: string, json: Json): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), JSON.stringify(json));
}

function flowOf(name: string, node: Json, type = "api"): Json {
  return { format: 1, name, trigger: { type }, start: "work", nodes: { work: node } };
}

const give = (output: string): Json => ({ type: "return", data: { output } });

test("a folder is published as a whole, called flows first, and one that is wrong keeps no other back", SLOW, async () => {
  write("some/a-caller.flow.json", flowOf("caller", { type: "subflow", data: { flow: "called", input: { n: 2 } } }));
  write("some/b-wrong.flow.json", flowOf("wrong", give("=trigger.n +")));
  write("some/c-called.flow.json", flowOf("called", give("=trigger.n * 2"), "subflow"));
  write("some/c-called.flow.test.json", { format: 1, cases: [{ name: "two", input: { n: 2 }, expect: { output: 4 } }] });
  const { code, err } = await plinth("publish", "some");
  expect([code, err.trimEnd().split("\n").at(-1)]).toEqual([4, "✗ 2 of 3 are published."]);
  expect(err.indexOf("c-called.flow.json:")).toBeLessThan(err.indexOf("a-caller.flow.json:"));
  expect(err).toContain("its tests some/c-called.flow.test.json are kept with it");
  expect(err).toContain("error: nodes.work.data.output, line 1, column 13: A value is missing before the end.");
  expect((await plinth("run", "caller")).out).toBe("4\n");
});

test("an import of what was written names the command that takes it", SLOW, async () => {
  write("plain.json", flowOf("plain", give("=1")));
  const refused = await plinth("import", "plain.json");
  expect([refused.code, refused.err]).toEqual([4, expect.stringContaining("which `plinth flow publish` takes") as string]);
});

test("a run that tries a step again is waited for, and runs are found by status", SLOW, async () => {
  const url = "https://nobody.invalid/";
  const retry = { attempts: 2, delayMs: 1000 };
  write("again.json", flowOf("again", { type: "webhook", data: { url }, retry }));
  write("asks.json", flowOf("asks", { type: "wait", data: { for: "approval", title: "May it?" } }));
  expect((await plinth("publish", "again.json", "asks.json")).code).toBe(0);
  const again = await plinth("run", "again");
  expect([again.code, again.err]).toEqual([1, expect.stringMatching(/The run \w+ has failed\. The step `work` failed/) as string]);
  const asks = await plinth("run", "asks");
  expect([asks.code, asks.err]).toEqual([0, expect.stringMatching(/`plinth flow watch \w+` shows how it goes on/) as string]);
  const failed = JSON.parse((await plinth("--json", "runs", "--status", "failed")).out) as unknown;
  expect(failed).toMatchObject({ runs: [{ flow: "again", status: "failed" }] });
  expect((await plinth("runs", "agian")).err).toContain("There is no flow 'agian'.");
});
