import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventFamilyOf } from "./event-family.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "plinth-family-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

async function familyOf(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  let released = 0;
  const folder = () => Promise.resolve({ path, release: () => void released++ });
  const family = await eventFamilyOf({ package: { folder, reuse: true, memoryBytesMax: 0, scratchBytes: 0 } });
  expect(released).toBe(1);
  return family;
}

test("packages of the newer library get the newer names, all others the first ones", async () => {
  expect(await familyOf({})).toBe("old");
  expect(await familyOf({ "code/package.json": '{"dependencies":{"@devrev/airsync-sdk":"2.0.0"}}' })).toBe("new");
  expect(await familyOf({ "code/node_modules/@devrev/ts-adaas/package.json": "{}" })).toBe("old");
  expect(await eventFamilyOf({})).toBe("old");
});
