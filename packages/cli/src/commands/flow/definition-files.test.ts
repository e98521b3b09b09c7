/** Which files a command takes, and in which order. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDefinitions } from "./definition-files.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-definitions-"));
  mkdirSync(join(folder, "some"));
  mkdirSync(join(folder, "none"));
  const calls = (flow: string) => ({ work: { type: "subflow", data: { flow } } });
  write("some/a.flow.json", { name: "a", nodes: calls("b") });
  write("some/b.flow.json", { name: "b", nodes: calls("c") });
  write("some/c.flow.json", { name: "c", nodes: { ...calls("a"), odd: 7 } });
  write("some/c.flow.test.json", { cases: [] });
  write("some/other.json", { nodes: "none" });
  write("exported.json", { kind: "plinth-flow", name: "x" });
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(file: string, json: unknown): void {
  writeFileSync(join(folder, file), JSON.stringify(json));
}

function read(...paths: readonly string[]): readonly string[] {
  return readDefinitions(paths.map((path) => join(folder, path))).map(({ file }) => relative(folder, file));
}

test("a folder stands for its definitions, and called flows come first, also in a circle", () => {
  expect(read("some")).toEqual(["some/c.flow.json", "some/b.flow.json", "some/a.flow.json"]);
  expect(read("some/a.flow.json", "some")).toHaveLength(3);
});

test("tests that a pattern of the shell has matched are left out; alone they are a mistake", () => {
  expect(read("some/other.json", "some/c.flow.test.json")).toEqual(["some/other.json"]);
  expect(() => read("some/c.flow.test.json")).toThrow("holds tests");
  expect(() => read("some/c.flow.test.json", "some/c.flow.test.json")).toThrow("none a definition");
});

test("what is no definition is told with what to do", () => {
  expect(() => read("none")).toThrow("has no file that ends with .flow.json");
  expect(() => read("absent.json")).toThrow("There is no file");
  expect(() => read("exported.json")).toThrow("`plinth flow import");
});
