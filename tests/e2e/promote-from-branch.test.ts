/** A version that a branch tested is promoted to `main` by the command line, with the key of the branch that this machine keeps. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

const PROGRAM = join(import.meta.dirname, "../../packages/cli/bin/plinth.mjs");
let host: LocalHost;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-promote-"));
  host = await startLocalHost();
}, 60_000);
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Standard output and error; rejects when the command fails. */
function plinth(cwd: string, ...args: readonly string[]): Promise<string> {
  const { PLINTH_BRANCH: _, PLINTH_BRANCH_KEY: __, ...rest } = process.env;
  const env = { ...rest, PLINTH_URL: host.connection.url, PLINTH_ADMIN_KEY: host.connection.key ?? "" };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [PROGRAM, ...args], { cwd, env, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(stdout + stderr));
    });
  });
}

test("promote --from takes a version of a branch whose key is kept here, and of no other", { timeout: 90_000 }, async () => {
  await plinth(folder, "package", "create", "hello", "--template", "python");
  await plinth(folder, "package", "push", "hello");
  await plinth(folder, "branches", "create", "trial");
  const manifest = join(folder, "hello/manifest.yaml");
  await writeFile(manifest, (await readFile(manifest, "utf8")).replace("default_value: Hello", "default_value: Hi"));
  const pushed = await plinth(folder, "--branch", "trial", "package", "push", "hello");
  const version = /pushed hello ([0-9a-f]{12})/.exec(pushed)?.[1] ?? "";

  await expect(plinth(folder, "package", "promote", "hello", version)).rejects.toThrow(/version/);
  await expect(plinth(tmpdir(), "package", "promote", "hello", version, "--from", "trial")).rejects.toThrow("Branch access denied");
  expect(await plinth(folder, "package", "promote", "hello", version, "--from", "trial")).toContain(`hello is at ${version}`);
});
