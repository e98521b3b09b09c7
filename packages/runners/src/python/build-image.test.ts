import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildPythonImage, pythonSourcesDigest } from "./build-image.ts";
import { NO_PYTHON, python, pythonCommand, runInline } from "./test-python.ts";

/** PEP 552: the flags word of a compiled file that is not compared with its source. */
const UNCHECKED_HASH = 1;

describe.skipIf(python === undefined)(`the image of the Python runner${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test("runs from compiled files that are not compared with their sources", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plinth-python-image-"));
    try {
      await buildPythonImage({ outDir: folder, python: python ?? "" });
      const compiled = readdirSync(join(folder, "plinth_runner/__pycache__")).filter((name) => name.endsWith(".pyc"));
      expect(compiled.length).toBeGreaterThan(5);
      for (const name of compiled) {
        const bytes = readFileSync(join(folder, "plinth_runner/__pycache__", name));
        expect(bytes.readUInt32LE(4)).toBe(UNCHECKED_HASH);
        // Where it was compiled is nobody's business.
        expect(bytes.includes(folder)).toBe(false);
      }
      expect(existsSync(join(folder, "fixtures"))).toBe(false);
      const command = { ...pythonCommand(), args: ["-I", "-S", "-B", join(folder, "runner.py")] };
      expect(await runInline("1 + 1", {}, command)).toMatchObject({ kind: "result", value: { result: 2 } });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("has a digest of its sources", async () => {
    expect(await pythonSourcesDigest()).toMatch(/^[0-9a-f]{64}$/);
  });
});
