import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemRefusal } from "../system-refusal.ts";
import { buildAlone } from "./build-lock.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "plinth-build-lock-"));
  folders.push(made);
  return made;
}

test("builds in one folder run one after the other, also after one that failed", async () => {
  const place = folder();
  const running: string[] = [];
  const build = (name: string) =>
    buildAlone(
      place,
      () => undefined,
      async () => {
        running.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running.push(`${name} ends`);
        if (name === "a") throw new Error("a fails");
      },
    );
  const ended = await Promise.allSettled([build("a"), build("b")]);
  expect(ended.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(running).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  expect(existsSync(join(place, ".lock"))).toBe(false);
});

test("the lock of a process that was killed is void", async () => {
  const place = folder();
  writeFileSync(join(place, ".lock"), String(spawnSync("true").pid));
  await expect(
    buildAlone(
      place,
      () => undefined,
      () => Promise.resolve("built"),
    ),
  ).resolves.toBe("built");
});

test("refusals of the system are one sentence, and other errors are not among them", () => {
  expect(systemRefusal(Object.assign(new Error("EACCES: permission denied, mkdir 'x'"), { code: "EACCES", path: "x" }))).toBe(
    "x cannot be used: this user may not do that (EACCES).",
  );
  expect(systemRefusal(Object.assign(new Error("no such file"), { code: "ENOENT", path: "x" }))).toBeUndefined();
  expect(systemRefusal(new TypeError("x is not a function"))).toBeUndefined();
});
