/** The contract of providers over real engines: podman with runc, and with gVisor. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { engineMissing, startEngine, type TestEngine, type TestRuntime } from "../fixtures/container-engine.ts";
import { TEST_IMAGES } from "../fixtures/jailed-repl.ts";
import { textProgram } from "../fixtures/test-sandbox.ts";
import { CONTRACT_PROGRAM, providerContract } from "../provider-contract.ts";
import { prepareNodeImage } from "../runtimes/node-image.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { ContainerProvider } from "./container-provider.ts";
import { DockerApi, parseEngineAddress } from "./docker-api.ts";

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
    const engine = await startEngine(oci, "provider");
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

const missing = engineMissing("runc");
describe.skipIf(missing !== undefined)(`the container provider${missing === undefined ? "" : ` (${missing})`}`, () => {
  let engine: TestEngine;
  let dataDir: string;
  let image: ProgramImage;

  beforeAll(async () => {
    engine = await startEngine("runc", "provider");
    dataDir = await mkdtemp(join(tmpdir(), "plinth-containers-"));
    const program = textProgram(CONTRACT_PROGRAM);
    image = await prepareNodeImage({ name: "node", program, flags: [], runtime, imageFolder: TEST_IMAGES });
  }, 60_000);
  afterAll(async () => {
    await engine.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const open = (over: Partial<Parameters<typeof ContainerProvider.open>[0]> = {}) =>
    ContainerProvider.open({ runtime, engine: engine.url, dataDir, imageFolder: TEST_IMAGES, ...over });

  test("what cannot be used is said as what the configuration has wrong", async () => {
    await expect(open({ engine: "unix:///nowhere/engine.sock" })).rejects.toMatchObject({ code: "BadConfiguration" });
    await expect(open({ engine: "ftp://x" })).rejects.toMatchObject({ code: "BadConfiguration" });
    await expect(open({ ociRuntime: "unknown" })).rejects.toMatchObject({ code: "BadConfiguration" });
  });

  test("an image that was removed is made again", { timeout: 60_000 }, async () => {
    const provider = await open();
    try {
      await provider.prepare(image);
      const api = new DockerApi({ address: parseEngineAddress(engine.url), runtime });
      for (const { name } of await api.imageTags("localhost/plinth-runner-node")) await api.removeImage(name);
      api.close();
      const cell = provider.start({ image, scratchBytes: 0, memoryBytesMax: 2 ** 28 });
      cell.control.end(`${JSON.stringify("process.exit(5)")}\n`);
      cell.control.resume();
      expect(await cell.exited).toMatchObject({ code: 5 });
    } finally {
      await provider.close();
    }
  });

  test("an image that cannot be made is not available", async () => {
    const provider = await open();
    try {
      const broken = { ...image, key: "broken", mounts: [{ source: "/nowhere", target: "/app" }] };
      await expect(provider.prepare(broken)).rejects.toMatchObject({ code: "NotAvailable" });
    } finally {
      await provider.close();
    }
  });

  test("L2 what a host left that is gone is removed by the next, and what belongs to another stays", { timeout: 60_000 }, async () => {
    const api = new DockerApi({ address: parseEngineAddress(engine.url), runtime });
    const first = await open();
    await first.prepare(image);
    const kept = first.start({ image, scratchBytes: 0, memoryBytesMax: 2 ** 28 });
    await expect.poll(() => engine.containers().length, { timeout: 20_000 }).toBe(1);
    const [own = ""] = engine.containers();
    const labels = (await api.list([]))[0]?.labels ?? {};
    const tag = (await api.imageTags("localhost/plinth-runner-node"))[0]?.name;
    // As a host left it that had the number of this process before.
    await api.create("plinth-left", { Image: tag, Cmd: ["/bin/sh"], Labels: { ...labels, "plinth.process": `${process.pid} 1` } });
    await api.create("other-left", { Image: tag, Cmd: ["/bin/sh"], Labels: { ...labels, "plinth.home": "other" } });
    const second = await open();
    expect(engine.containers().toSorted()).toEqual(["other-left", own].toSorted());
    kept.kill();
    await kept.exited;
    await api.remove("other-left");
    api.close();
    await Promise.all([first.close(), second.close()]);
    expect(engine.containers()).toEqual([]);
  });
});
