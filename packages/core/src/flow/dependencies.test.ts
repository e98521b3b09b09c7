import { expect, test } from "vitest";
import { Report } from "../manifest/report.ts";
import { parseBundleAbout } from "./bundle.ts";
import { checkFlow } from "./check-definition.ts";
import { type DependencyLanguage, lockOf, parseDependency } from "./dependencies.ts";
import { parseDefinition } from "./parse-definition.ts";

test.each([
  ["javascript", "lodash", "lodash", ""],
  ["javascript", "lodash@^4.17.0", "lodash", "^4.17.0"],
  ["javascript", "@scope/name@>=1.2 <2 || 3.x", "@scope/name", ">=1.2 <2 || 3.x"],
  ["javascript", "name@latest", "name", "latest"],
  ["python", "humanize", "humanize", ""],
  ["python", "humanize>=4,<5", "humanize", ">=4,<5"],
  ["python", "Zope.Interface[docs]==1.0.*", "Zope.Interface[docs]", "==1.0.*"],
  ["python", "name ~= 1.4", "name", "~= 1.4"],
] as const)("%s: %s names a package", (language, text, name, range) => {
  expect(parseDependency(language, text)).toEqual({ name, range });
});

test.each([
  ["javascript", "git+https://example.com/x.git"],
  ["javascript", "x@git+https://example.com/x.git"],
  ["javascript", "x@https://example.com/x.tgz"],
  ["javascript", "x@file:../x"],
  ["javascript", "x@npm:y@1"],
  ["javascript", "owner/repository"],
  ["javascript", "../x"],
  ["javascript", "./x"],
  ["javascript", "/etc/passwd"],
  ["javascript", "@scope/../x"],
  ["javascript", "--ignore-scripts=false"],
  ["javascript", "x\n--flag"],
  ["javascript", "Upper"],
  ["javascript", "__proto__"],
  ["javascript", `x@${"9".repeat(200)}`],
  ["javascript", ""],
  ["python", "x @ https://example.com/x.whl"],
  ["python", "-r requirements.txt"],
  ["python", "--index-url=https://example.com"],
  ["python", "./x"],
  ["python", "x==1\n--pre"],
  ["python", "x; python_version > '3'"],
  ["python", "x>=1,"],
  ["python", "git+https://example.com/x"],
] as const)("%s: %j names none", (language: DependencyLanguage, text) => {
  expect(parseDependency(language, text)).toBeNull();
});

test("a name that looks for trouble is judged in no time", () => {
  const startCpu = process.cpuUsage();
  expect(parseDependency("python", `a${"-".repeat(300)}`)).toBeNull();
  expect(parseDependency("python", `a${"==1,".repeat(60)}!`)).toBeNull();
  expect(parseDependency("javascript", `a@${"1 ".repeat(200)}!`)).toBeNull();
  expect(process.cpuUsage(startCpu).user / 1000).toBeLessThan(3000);
});

const flowOf = (dependencies: unknown, more: object = {}) => ({
  format: 1,
  name: "priced",
  trigger: { type: "manual" },
  start: "a",
  nodes: { a: { type: "script", data: { code: "return 1;", dependencies } } },
  ...more,
});

test("a flow says where a dependency is none, and which name stands there twice", () => {
  const messages = (dependencies: unknown) => {
    const checked = checkFlow(flowOf(dependencies), null);
    return checked.findings.map(({ path, message }) => `${path}: ${message}`);
  };
  expect(messages(["lodash@^4"])).toEqual([]);
  expect(messages(["lodash@^4", "x@file:../x"])).toEqual([expect.stringMatching(/dependencies\[1\].*names no package of a registry/)]);
  expect(messages(["lodash@^4", "lodash@^3"])).toEqual([expect.stringMatching(/name `lodash` twice/)]);
});

test("the lock of a flow is found by what its nodes name, in any order", () => {
  const entry = { language: "javascript", dependencies: ["b", "a@1"], digest: "0".repeat(64), packages: ["a@1.0.0", "b@2.0.0"] };
  const report = new Report(null);
  const definition = parseDefinition(flowOf([], { lock: [entry] }), report);
  expect(report.findings).toEqual([]);
  const lock = definition?.lock ?? [];
  expect(lockOf(lock, "javascript", ["a@1", "b"])?.digest).toBe(entry.digest);
  expect(lockOf(lock, "python", ["a@1", "b"])).toBeNull();
  expect(lockOf(lock, "javascript", ["a@1"])).toBeNull();
  parseDefinition(flowOf([], { lock: [{ ...entry, digest: "../../etc" }] }), report);
  expect(report.failed).toBe(true);
});

test("what a bundle says of itself has its form", () => {
  const about = { format: 1, language: "python", dependencies: ["x"], packages: ["x==1"], modules: ["x"] };
  expect(parseBundleAbout(about)).toEqual(about);
  expect(parseBundleAbout({ ...about, modules: ["a.b"] })).toMatch(/modules/);
  expect(parseBundleAbout({ ...about, dependencies: ["x @ file:///etc"] })).toMatch(/no packages of a registry/);
  expect(parseBundleAbout({ ...about, format: 2 })).toMatch(/format/);
  expect(parseBundleAbout(null)).toMatch(/format/);
});
