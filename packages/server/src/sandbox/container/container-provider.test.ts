/** The contract of providers over real engines: podman with runc, and with gVisor. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { engineMissing, startEngine, type TestRuntime } from "../fixtures/container-engine.ts";
import { TEST_IMAGES } from "../fixtures/jailed-repl.ts";
import { textProgram } from "../fixtures/test-sandbox.ts";
import { CONTRACT_PROGRAM, providerContract } from "../provider-contract.ts";
import { prepareNodeImage } from "../runtimes/node-image.ts";
import { ContainerProvider } from "./container-provider.ts";

const runtime = createSystemRuntime();
const cleanups: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

for (const oci of ["runc", "runsc"] satisfies TestRuntime[]) {
  const missing = engineMissing(oci);
  if (missing !== undefined) {
    describe.skip(`provider container, ${oci}: ${missing}`, () => undefined);
    continue;
  }
  providerContract(`container, ${oci}`, async () => {
    const engine = await startEngine(oci);
    const dataDir = await mkdtemp(join(tmpdir(), "plinth-containers-"));
    cleanups.push(
      () => rm(dataDir, { recursive: true, force: true }),
      () => engine.stop(),
    );
    const image = await prepareNodeImage({
      name: "node",
      program: textProgram(CONTRACT_PROGRAM),
      flags: [],
      runtime,
      imageFolder: TEST_IMAGES,
    });
    const provider = await ContainerProvider.open({
      runtime,
      engine: engine.url,
      ociRuntime: engine.ociRuntime,
      dataDir,
      imageFolder: TEST_IMAGES,
    });
    await provider.prepare(image);
    return { provider, image };
  });
}
