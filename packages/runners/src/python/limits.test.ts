import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "@plinth/core/limits.ts";
import { PROTOCOL_VERSION } from "@plinth/core/protocol/runner-protocol.ts";

const UNITS: Readonly<Record<string, number>> = { KIB: 1024, MIB: 1024 * 1024 };

test("the limits of the Python runner are those of the core", () => {
  const source = readFileSync(join(import.meta.dirname, "plinth_runner/limits.py"), "utf8");
  const lines = [...source.matchAll(/^([A-Z_]+) = ([\d_]+)(?: \* ([A-Z]+))?$/gm)].filter(([, name = ""]) => !(name in UNITS));
  expect(lines.length).toBeGreaterThan(10);
  const limits = new Map<string, number>(Object.entries(LIMITS).map(([name, { value }]) => [name, value]));
  limits.set("protocolVersion", PROTOCOL_VERSION);
  for (const [, name = "", digits = "", unit] of lines) {
    const value = Number(digits.replaceAll("_", "")) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN));
    const camel = name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    expect({ [camel]: value }).toEqual({ [camel]: limits.get(camel) });
  }
});
