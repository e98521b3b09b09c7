import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts", "tests/**/*.test.ts", "tools/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    pool: "forks",
    maxWorkers: 2,
    // isolated-vm asks for it.
    execArgv: ["--no-node-snapshot"],
    // Generous, since the machine may be slow and busy: what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
