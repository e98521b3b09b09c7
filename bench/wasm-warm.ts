import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../packages/cli/src/package/build-package.ts";
import { pushPackage } from "../packages/cli/src/package/push-package.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { assemble, command } from "../packages/runners/src/wasm/test-modules.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { measureEcho } from "./raw-http.ts";

const RUNS = 5;
const DURATION_MS = 3000;

/** A module of WebAssembly that returns a number, over HTTP: latency with one client, rate with four. */
export const wasmWarm: Bench = async () => {
  const host = await startBenchHost();
  try {
    await pushModule(host.connection);
    const load = (clients: number, durationMs: number) =>
      run({
        url: new URL(`${host.connection.url}/v1/functions/%40bench%2Fnumber/execute`),
        clients,
        durationMs,
        bodies: ['{"args":{}}'],
        headers: { authorization: `Bearer ${host.connection.key ?? ""}` },
        check: (body) => {
          if (!body.includes('"status":"succeeded"')) throw new Error(body);
        },
      });
    await load(4, 2000);
    const single = await medianRun(
      RUNS,
      () => load(1, DURATION_MS),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const many = await medianRun(
      RUNS,
      () => load(4, DURATION_MS),
      ({ perSecond }) => perSecond,
    );
    const echo = await measureEcho();
    const p50 = percentile(single.latenciesMs, 0.5);
    return {
      name: "wasm-warm",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(single.latenciesMs, 0.99)),
      perSecond: rounded(many.perSecond),
      raw: { what: "node:http echo", p50: rounded(echo.p50), perSecond: rounded(echo.perSecond) },
      ratio: rounded(echo.p50 / p50),
      details: { "p50 of 4 clients, ms": rounded(percentile(many.latenciesMs, 0.5)) },
    };
  } finally {
    await host.stop();
  }
};

async function pushModule(connection: Connection): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-bench-wasm-"));
  try {
    mkdirSync(join(folder, "code"));
    writeFileSync(join(folder, "code", "number.wasm"), await assemble(command("(call $print (i32.const 42))", { pages: "1" })));
    const functions = "functions:\n  - name: number\n    description: A number.\n";
    writeFileSync(join(folder, "manifest.yaml"), `version: "2"\nname: bench\ndescription: A module.\n${functions}`);
    const update = (): void => undefined;
    const { archive } = await buildPackage(folder, { overrides: {}, update });
    await pushPackage(connection, archive, { name: "bench", update });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
