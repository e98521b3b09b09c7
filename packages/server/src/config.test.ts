import { PlinthError } from "@plinth/core/errors.ts";
import { describe, expect, it } from "vitest";
import { parseConfig, SETTINGS, type Setting } from "./config.ts";

function failureOf(input: Parameters<typeof parseConfig>[0]): string {
  try {
    parseConfig(input);
  } catch (error) {
    if (error instanceof PlinthError && error.code === "BadConfiguration") return error.message;
    throw error;
  }
  return "no failure";
}

describe("configuration", () => {
  it("has the documented defaults", () => {
    const config = parseConfig({});
    expect(config).toMatchObject({
      dataDir: ".plinth",
      address: "127.0.0.1",
      port: 3210,
      httpActionsPort: 3211,
      unsafeNoJail: false,
      queryCache: true,
    });
  });

  it("lets a flag win over the environment, and the environment over the default", () => {
    const env = { PLINTH_PORT: "4000", PLINTH_LOG_LEVEL: "warn" };
    expect(parseConfig({ env }).port).toBe(4000);
    expect(parseConfig({ env, argv: ["--port", "5000"] })).toMatchObject({ port: 5000, logLevel: "warn" });
    expect(parseConfig({ env, argv: ["--port=0"] }).port).toBe(0);
  });

  it("reads switches in every spelling", () => {
    expect(parseConfig({ argv: ["--unsafe-no-jail"] }).unsafeNoJail).toBe(true);
    expect(parseConfig({ argv: ["--no-query-cache"] }).queryCache).toBe(false);
    expect(parseConfig({ env: { PLINTH_QUERY_CACHE: "off" } }).queryCache).toBe(false);
  });

  it("reads lists", () => {
    expect(parseConfig({ argv: ["--egress-allow-private", "127.0.0.1:9000, [::1]:80"] }).egressAllowPrivate).toEqual([
      "127.0.0.1:9000",
      "[::1]:80",
    ]);
  });

  it.each([
    [{ env: { PLINTH_PORT: "eighty" } }, "PLINTH_PORT must be a whole number from 0 to 65535, not 'eighty'"],
    [{ env: { PLINTH_PORT: "70000" } }, "PLINTH_PORT must be"],
    [{ argv: ["--port"] }, "--port needs a value"],
    [{ argv: ["--prot", "1"] }, "there is no option --prot"],
    [{ argv: ["3210"] }, "'3210' is not an option"],
    [{ env: { PLINTH_QUERY_CACHE: "maybe" } }, "PLINTH_QUERY_CACHE must be true or false"],
    [{ env: { PLINTH_LOG_LEVEL: "loud" } }, "PLINTH_LOG_LEVEL must be one of"],
    [{ env: { PLINTH_PUBLIC_URL: "plinth.example" } }, "PLINTH_PUBLIC_URL must be an http or https URL"],
    [{ env: { PLINTH_ADMIN_KEY: "with:colon-and-more-text" } }, "PLINTH_ADMIN_KEY must be"],
    [{ env: { PLINTH_ADMIN_KEY: "plk_looks-like-a-tenants-key" } }, "PLINTH_ADMIN_KEY must be"],
    [{ argv: ["--egress-allow-private", "*"] }, "--egress-allow-private must list host:port"],
  ])("refuses %j and names the setting", (input, message) => {
    expect(failureOf(input)).toContain(message);
  });

  it("gives each setting a name of its own", () => {
    const settings: readonly Setting[] = Object.values(SETTINGS);
    expect(new Set(settings.map((setting) => setting.env)).size).toBe(settings.length);
    expect(new Set(settings.map((setting) => setting.flag)).size).toBe(settings.length);
    // Names that OpenTelemetry's specification gives stay as they are.
    for (const setting of settings.filter(({ env }) => !env.startsWith("OTEL_")))
      expect(setting.env.toLowerCase().replaceAll("_", "-")).toBe(`plinth-${setting.flag}`);
  });
});
