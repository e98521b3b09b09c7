/** What a newcomer does with a package, by the command line alone: create, push, install, activate, change, branch, roll back. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-tour-"));
  host = await startLocalHost();
}, 60_000);
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

function plinth(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const program = join(import.meta.dirname, "../../packages/cli/bin/plinth.mjs");
  const env = { ...process.env, PLINTH_URL: host.connection.url, PLINTH_ADMIN_KEY: host.connection.key ?? "" };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: folder, env, encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

async function done(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await plinth(...args);
  expect(exitCode, `${args.join(" ")}\n${stderr}`).toBe(0);
  return stdout + stderr;
}

test.each(["node", "python"])("the tour of a %s package", { timeout: 90_000 }, async (template) => {
  const name = `tour-${template}`;
  await done("package", "create", name, "--template", template);
  expect(await done("manifest", "check", name)).toContain("no findings");
  expect(await done("package", "push", name, "--note", "first")).toContain(`pushed ${name}`);
  const call = `@${name}/greet`;
  expect(await done("run", call, '{"parameters": "Ada"}')).toContain('{"text":"Hello, Ada!"}');

  await done("snap-ins", "install", name);
  await done("snap-ins", "configure", name, "--input", "greeting=Hallo");
  expect(await done("snap-ins", "activate", name)).toContain(`${name} is active`);
  expect(await done("run", call, '{"parameters": "Ada"}')).toContain('{"text":"Hallo, Ada!"}');

  await done("branches", "create", `dev-${template}`, "--from", "main");
  const source = join(folder, name, template === "node" ? "code/src/functions/greet/index.ts" : "code/functions/greet.py");
  const before = await readFile(source, "utf8");
  await writeFile(source, before.replace("greeting ${name}", "saluting ${name}").replace("greeting {name}", "saluting {name}"));
  expect(await done("dev", name, "--once")).toContain("upgraded: the snap-in runs");
  expect(await done("run", call, "{}")).toContain("saluting world");
  expect(await done("--branch", `dev-${template}`, "run", call, "{}")).toContain("greeting world");

  const { ledger } = JSON.parse(await done("--json", "package", "versions", name)) as {
    readonly ledger: readonly { readonly version: string; readonly note: string | null }[];
  };
  expect(ledger.map(({ note }) => note)).toEqual([null, "first"]);
  expect(await done("package", "diff", name, ledger[1]?.version ?? "", ledger[0]?.version ?? "")).toMatch(/^~ code\//m);
  expect(await done("package", "rollback", name)).toContain(`${name} is back at`);
  expect(await done("snap-ins", "deactivate", name)).toContain("is inactive");
  expect(await done("snap-ins", "remove", name, "--yes")).toContain("removed");
});

test.each([
  [["package", "push", "nowhere"], /There is no \S*nowhere/],
  [["package", "create", "Bad Name"], /begins with a letter/],
  [["package", "promote", "nothing", "deadbeefdead"], /nothing/],
  [["snap-ins", "activate", "nothing"], /is not installed/],
  [["run", "@nothing/x"], /There is no function '@nothing\/x'/],
  [["package", "create", "x", "--template", "cobol"], /there are node and python/],
])("plinth %j says what is wrong", async (args, message) => {
  const { exitCode, stdout, stderr } = await plinth(...args);
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
});
