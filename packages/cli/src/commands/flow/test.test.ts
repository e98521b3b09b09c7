/** `plinth flow test` as a user runs it, without a host. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../main.ts");
const FLOW = {
  format: 1,
  name: "price",
  trigger: { type: "api" },
  start: "tier",
  nodes: {
    tier: { type: "decision", data: { when: "trigger.seats > 10", else: "small" }, next: "large" },
    large: { type: "script", data: { code: "return 1" } },
    small: { type: "return", data: { output: "=trigger.seats * 10" } },
  },
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-flow-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, json: unknown): void {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), JSON.stringify(json));
}

function plinth(...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, "flow", "test", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  return { stdout, stderr, status };
}

it("runs all files below a folder, says what was expected and what came, and exits with 1", { timeout: 60_000 }, () => {
  write("good/price.json", FLOW);
  write("good/price.flow.test.json", {
    format: 1,
    cases: [
      { name: "small", input: { seats: 3 }, expect: { output: 30, path: ["tier", "small"] } },
      { name: "large", input: { seats: 30 }, mocks: { large: { output: 7 } }, expect: { output: 7 } },
      { name: "later", skip: true },
    ],
  });
  write("wrong/other.flow.test.json", {
    format: 1,
    flow: "../good/price.json",
    cases: [
      { name: "small", input: { seats: 3 }, expect: { output: 31 } },
      { name: "large", input: { seats: 30 }, mocks: { large: "run" }, expect: { output: 7 } },
    ],
  });
  const both = plinth();
  expect(both.stdout).toMatch(/^good\/price.flow.test.json\n {2}✓ small\n {2}✓ large\n {2}- later\n/);
  expect([both.status, both.stderr]).toEqual([1, "✗ 2 passed, 2 failed, 1 skipped\n"]);
  expect(both.stdout).toContain("output: It differs.\n        expected 31\n        got      30\n");
  expect(both.stdout).toContain("Add --host to do that.");
  const json = JSON.parse(plinth("--json", "--only", "small").stdout) as unknown;
  expect(json).toMatchObject({
    ...{ passed: 1, failed: 1, skipped: 0, broken: 0 },
    files: [{ cases: [{ name: "small", result: "passed" }] }, { cases: [{ mismatches: [{ path: "output", expected: 31, got: 30 }] }] }],
  });
});

it("what cannot be run is told, with exit code 4", { timeout: 60_000 }, () => {
  write("broken/lone.flow.test.json", { format: 1, cases: [{ name: "a", expect: {} }] });
  write("broken/m.json", FLOW);
  write("broken/m.flow.test.json", { format: 1, mocks: { larg: { output: 1 } }, cases: [{ name: "a", expect: {} }] });
  const { status, stdout, stderr } = plinth("broken");
  expect([status, stderr]).toEqual([4, "✗ 0 passed, 0 failed, 0 skipped, 2 files could not be run\n"]);
  expect(stdout).toContain("name the definition with");
  expect(stdout).toContain("names no node of the flow. Did you mean `large`?");
});
