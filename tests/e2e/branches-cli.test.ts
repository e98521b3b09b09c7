/** `plinth branches` and `--branch`, as a person uses them: one process a command, against a real host. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { deployApp, startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

const MAIN = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
let host: TestHost;
let folder: string;

beforeAll(async () => {
  host = await startTestHost();
  await deployApp(host);
  folder = mkdtempSync(join(tmpdir(), "plinth-branches-cli-"));
  cpSync(join(import.meta.dirname, "..", "..", "packages", "server", "src", "doors", "fixtures", "app"), folder, { recursive: true });
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(folder, "node_modules"));
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await host.remove();
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly all: string;
}

async function plinth(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { PLINTH_BRANCH: _, PLINTH_BRANCH_KEY: __, ...rest } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: folder,
    env: { ...rest, PLINTH_URL: host.url, PLINTH_ADMIN_KEY: host.adminKey, ...env },
  });
  let out = "";
  let all = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    all += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => (all += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, all };
}

it("makes a branch, keeps its key, and uses it for every command", { timeout: 120_000 }, async () => {
  const made = await plinth(["branches", "create", "dev", "--from", "main"]);
  expect(made.code, made.all).toBe(0);
  const key = made.out.trim();
  expect(key).toMatch(/^plb_/);
  const file = join(folder, ".plinth", "branch-keys.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, ".plinth", ".gitignore"), "utf8")).toBe("*\n");

  const sent = await plinth(["--branch", "dev", "run", "messages:send", '{"author":"Ada","text":"on dev"}']);
  expect(sent.code, sent.all).toBe(0);
  expect((await plinth(["run", "messages:list"], { PLINTH_BRANCH: "dev" })).out).toContain("on dev");
  expect((await plinth(["run", "messages:list"])).out).not.toContain("on dev");
  expect((await plinth(["--branch", "dev", "env", "set", "WHERE", "dev"])).code).toBe(0);
  expect((await plinth(["env", "list"])).out).not.toContain("WHERE");
  expect((await plinth(["--branch", "dev", "logs"])).out).toContain("sending");
  expect((await plinth(["--branch", "dev", "deploy"])).all).toContain("functions as version");

  const other = { PLINTH_BRANCH: "other", PLINTH_BRANCH_KEY: "plb_of_other" };
  expect((await plinth(["--branch", "dev", "run", "messages:list"], other)).out).toContain("on dev");
  expect((await plinth(["--branch", "constructor", "run", "messages:list"])).all).toContain("Branch access denied");

  const wrong = await plinth(["--branch", "dev", "--branch-key", "plb_wrong", "run", "messages:list"]);
  expect(wrong).toMatchObject({ code: 4, all: expect.stringContaining("Branch access denied") });

  const renewed = (await plinth(["branches", "key", "dev"])).out.trim();
  expect(renewed).not.toBe(key);
  expect((await plinth(["--branch", "dev", "run", "messages:list"])).out).toContain("on dev");
  expect((await plinth(["branches", "list"])).out).toMatch(/main[\s\S]*dev .*main at 20/);
  expect((await plinth(["branches", "snapshots", "dev"])).out).toContain("DAY");
  expect((await plinth(["branches", "delete", "dev", "--yes"])).code).toBe(0);
  expect(readFileSync(file, "utf8")).not.toContain("plb_");
  expect((await plinth(["--branch", "dev", "run", "messages:list"])).all).toContain("Branch access denied");
});
