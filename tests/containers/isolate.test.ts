/** The isolate runtime in containers: hosts keep it in process jails, where its runners start faster; the port takes it all the same. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { createSystemRuntime } from "../../packages/server/src/runtime/system-runtime.ts";
import { SandboxBudget } from "../../packages/server/src/sandbox/budget.ts";
import { ContainerProvider } from "../../packages/server/src/sandbox/container/container-provider.ts";
import { engineMissing, startEngine, type TestRuntime } from "../../packages/server/src/sandbox/fixtures/container-engine.ts";
import { RunnerPool } from "../../packages/server/src/sandbox/runner-pool.ts";
import { prepareIsolateImage } from "../../packages/server/src/sandbox/runtimes/isolate.ts";
import { TenantGate } from "../../packages/server/src/sandbox/tenant-gate.ts";

const SCRIPT = `globalThis.__plinthModules = { m: () => ({ f: Object.assign(() => {}, {
  isQuery: true, isPublic: true, exportArgs: () => '{"type":"any"}', exportReturns: () => "null",
  invokeQuery: async (argsText) => JSON.stringify(JSON.parse(argsText)[0].n * 2) }) }) };`;

for (const oci of ["runc", "runsc"] satisfies TestRuntime[]) {
  const missing = engineMissing(oci);
  const title = `isolates in containers of ${oci}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, () => {
    test("a query runs, and its process is gone afterwards", { timeout: 120_000 }, async () => {
      const runtime = createSystemRuntime();
      const dataDir = await mkdtemp(join(tmpdir(), "plinth-isolate-"));
      const engine = await startEngine(oci, "isolate");
      try {
        const provider = await ContainerProvider.open({ runtime, engine: engine.url, ociRuntime: engine.ociRuntime, dataDir });
        const image = await prepareIsolateImage({ runtime });
        await provider.prepare(image);
        const pool = new RunnerPool({
          runtime,
          provider,
          image,
          warmRunners: 1,
          processors: 1,
          gate: new TenantGate(),
          budget: new SandboxBudget({ runnersMax: 4, memoryBytesMax: limit("sandboxMemoryBytesMax") }),
        });
        try {
          expect(await double(pool, 21)).toEqual({ kind: "ok", valueText: "42" });
        } finally {
          await pool.close();
          await provider.close();
        }
        expect(engine.containers()).toEqual([]);
      } finally {
        await engine.stop();
        await rm(dataDir, { recursive: true, force: true });
      }
    });
  });
}

async function double(pool: RunnerPool, n: number): Promise<unknown> {
  const version = { digest: "d".repeat(64), script: () => Promise.resolve(SCRIPT), sourceMap: () => Promise.resolve(null) };
  const never = new AbortController().signal;
  const lease = await pool.acquire({ tenant: "t", lane: "transaction", version }, never);
  try {
    const outcome = await lease.run(
      {
        version,
        kind: "query",
        path: "m:f",
        argsText: JSON.stringify([{ n }]),
        requestId: "r",
        seed: "0123456789abcdef0123456789abcdef",
        nowMs: 1e12,
        tables: {},
        env: {},
        limits: {
          cpuMs: 5000,
          wallMs: 20_000,
          heapBytes: limit("isolateHeapBytesMax"),
          resultBytes: 1000,
          logLines: 10,
          logLineBytes: 1000,
          pendingHostCalls: 1,
        },
      },
      { call: () => Promise.reject(new Error("no host calls here")), log: () => undefined },
      never,
    );
    return outcome.kind === "ok" ? { kind: outcome.kind, valueText: outcome.valueText } : outcome;
  } finally {
    lease.release();
  }
}
