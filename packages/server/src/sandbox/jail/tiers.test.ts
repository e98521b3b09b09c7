import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { findTools, jailDoesNotStart } from "./doctor.ts";
import type { ProbeResult } from "./probe.ts";
import { probeJail } from "./probe.ts";
import { prepareJailKit } from "./kit.ts";
import { prepareIsolateImage } from "../runtimes/isolate.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { judgeTier, withoutJail } from "./tiers.ts";
import { TEST_IMAGES } from "../fixtures/jailed-repl.ts";
import { textProgram } from "../fixtures/test-sandbox.ts";

const NAMES = [
  "start",
  "network",
  "files",
  "writing",
  "processes",
  "descriptors",
  "identity",
  "seccomp",
  "user",
  "capabilities",
  "memory",
  "kill",
];
const all = (...failed: readonly string[]): readonly ProbeResult[] =>
  NAMES.map((name) => ({ name, ok: !failed.includes(name), detail: "found" }));

describe("tiers", () => {
  test("everything holds: 3; without control groups or users: 2", () => {
    expect(judgeTier({ probes: all(), userPerJail: true, cgroupVersion: 2 }).tier).toBe(3);
    expect(judgeTier({ probes: all(), userPerJail: true, cgroupVersion: undefined }).tier).toBe(2);
    expect(judgeTier({ probes: all(), userPerJail: false, cgroupVersion: 2 }).tier).toBe(2);
  });

  test.each(NAMES.filter((name) => name !== "start"))("a failed probe %s: 1", (name) => {
    const report = judgeTier({ probes: all(name), userPerJail: true, cgroupVersion: 2 });
    expect(report.tier).toBe(1);
    expect(report.layers.filter((layer) => !layer.engaged)).toHaveLength(1);
  });

  test("a probe that was not made is not passed", () => {
    expect(judgeTier({ probes: all().filter((probe) => probe.name !== "seccomp"), userPerJail: true, cgroupVersion: 2 }).tier).toBe(1);
  });

  test("no start: 0; no jail: 0", () => {
    expect(judgeTier({ probes: all("start"), userPerJail: true, cgroupVersion: 2 }).tier).toBe(0);
    expect(withoutJail().tier).toBe(0);
  });

  test("what is missing says how to get it", () => {
    for (const layer of judgeTier({ probes: all("memory"), userPerJail: false, cgroupVersion: undefined }).layers)
      expect(layer.engaged || layer.advice !== undefined).toBe(true);
  });
});

describe("the doctor", () => {
  test("names the command that installs what is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "plinth-tools-"));
    try {
      expect(() => findTools([folder])).toThrow(
        expect.objectContaining({ code: "JailMissing", next: "Run: sudo apt-get install bubblewrap" }),
      );
      await writeFile(join(folder, "bwrap"), "", { mode: 0o777 });
      // A tool that others can write is not a tool.
      expect(() => findTools([folder])).toThrow(expect.objectContaining({ code: "JailMissing" }));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("says why a jail does not start", () => {
    expect(jailDoesNotStart([{ name: "start", ok: false, detail: "no permission" }]).message).toContain("no permission");
  });
});

function probeImage(): Promise<ProgramImage> {
  return prepareIsolateImage({ runtime: createSystemRuntime(), program: textProgram(""), imageFolder: TEST_IMAGES });
}

test("the probes of this machine's jail all hold, quickly", async () => {
  const kit = prepareJailKit({ runtime: createSystemRuntime() });
  const probes = await probeJail(kit, await probeImage());
  await kit.cgroups?.close();
  expect(probes.filter((probe) => !probe.ok)).toEqual([]);
  expect(probes.map((probe) => probe.name).toSorted()).toEqual(NAMES.toSorted());
});

test("a jail without its filter is found out", async () => {
  const kit = prepareJailKit({ runtime: createSystemRuntime() });
  // One instruction: allow everything.
  const probes = await probeJail({ ...kit, filter: () => new Uint8Array([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]) }, await probeImage());
  await kit.cgroups?.close();
  expect(probes.filter((probe) => !probe.ok).map((probe) => probe.name)).toContain("processes");
});
