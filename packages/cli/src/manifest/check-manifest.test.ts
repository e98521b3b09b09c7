import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkManifest } from "./check-manifest.ts";
import { factoryNames } from "./factory-names.ts";

const CLI = join(import.meta.dirname, "../../bin/plinth.mjs");
const GOOD =
  'version: "2"\nname: greeter\nfunctions:\n  - name: greet\n  - name: bye\ncommands:\n  - name: hello\n    namespace: demo\n    surfaces:\n      - surface: discussions\n        object_types: [issue]\n    function: greet\n';

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-manifest-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function code(text: string): void {
  mkdirSync(join(folder, "code/src"), { recursive: true });
  writeFileSync(join(folder, "code/src/function-factory.ts"), text);
}

describe("plinth manifest check", () => {
  test("it names file, line and path, and exits with 1", () => {
    writeFileSync(join(folder, "manifest.yml"), 'version: "2"\nname: x\nfunctions:\n  - description: none\n');
    const { stdout, status } = spawnSync(process.execPath, [CLI, "manifest", "check"], { cwd: folder, encoding: "utf8" });
    expect(stdout).toContain(
      "manifest.yml:4: error: functions[0].name is missing; give each function a name of letters, digits, `_`, `-` and `.`. (functions[0].name)\n",
    );
    expect(stdout).toContain("manifest.yml: 1 error, 0 warnings.");
    expect(stdout).not.toContain("\u001b");
    expect(status).toBe(1);
  });

  test("--json prints one value, and a good manifest exits with 0", () => {
    writeFileSync(join(folder, "manifest.yaml"), GOOD);
    const stdout = execFileSync(process.execPath, [CLI, "--json", "manifest", "check", folder], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toMatchObject({ errors: 0, warnings: 0, functionsCompared: false, findings: [] });
  });

  test("a folder without a manifest is a failure of its own", () => {
    expect(() => checkManifest(folder)).toThrow(/There is no manifest.yaml or manifest.yml/);
    expect(() => checkManifest(join(folder, "none"))).toThrow(/There is no /);
  });

  test("a file that is too large is not read", () => {
    writeFileSync(join(folder, "manifest.yaml"), "#".repeat(300 * 1024));
    expect(() => checkManifest(folder)).toThrow(/has 307200 bytes/);
  });

  test("a function with a file of its own need not be in the factory", () => {
    writeFileSync(join(folder, "manifest.yaml"), GOOD);
    code('import greet from "./functions/greet";\nexport const functionFactory = { greet, farewell: greet };\n');
    mkdirSync(join(folder, "code/src/functions/bye"), { recursive: true });
    writeFileSync(join(folder, "code/src/functions/bye/index.ts"), "export default () => {};\n");
    const { findings } = checkManifest(folder);
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(findings.map(({ message }) => message).join()).toContain("`farewell`");
  });

  test("the functions of the code are compared when they can be read", () => {
    writeFileSync(join(folder, "manifest.yaml"), GOOD);
    code('import greet from "./greet";\nexport const functionFactory = { greet, "other": greet } as const;\n');
    const { findings, functionsCompared } = checkManifest(folder);
    expect(functionsCompared).toBe(true);
    expect(findings.map(({ severity, path, line }) => [severity, path, line])).toEqual([
      ["warning", "functions", 3],
      ["error", "functions[1].name", 5],
    ]);
  });
});

describe("factoryNames", () => {
  test("it reads object literals with references", () => {
    code(
      "import * as a from './a';\n/* { */ export const functionFactory: Record<string, unknown> = {\n // first\n one: a.run,\n two,\n 'th-ree': two, };\n",
    );
    expect(factoryNames(join(folder, "code"))).toEqual(["one", "two", "th-ree"]);
  });

  test.each([
    "export const functionFactory = { ...others };",
    "export const functionFactory = make();",
    "export const functionFactory = { a: () => 1 };",
    "export const functionFactory = { [name]: f };",
    "not code {",
  ])("of %s it says nothing", (text) => {
    code(text);
    expect(factoryNames(join(folder, "code"))).toBeNull();
  });
});
