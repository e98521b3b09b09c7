import { expect, test } from "vitest";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";
import { seccompProfile } from "./seccomp-profile.ts";

const IMAGE: ProgramImage = { runtime: "node", key: "k", mounts: [], command: [], environment: {}, profile: "jit", used: () => undefined };

interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string; readonly args?: readonly unknown[] }[];
}

function profileOf(over: Partial<ProgramImage> = {}, scratchBytes = 0): Profile {
  return JSON.parse(seccompProfile({ image: { ...IMAGE, ...over }, scratchBytes, memoryBytesMax: 1 }) ?? "") as Profile;
}

const rulesOf = (profile: Profile, name: string) => profile.syscalls.filter(({ names }) => names.includes(name));
const actionsOf = (profile: Profile, name: string) => rulesOf(profile, name).map(({ action }) => action);

test("what is not named is unknown, sockets and processes are refused, attacks kill", () => {
  const profile = profileOf();
  expect([profile.defaultAction, profile.defaultErrnoRet]).toEqual(["SCMP_ACT_ERRNO", 38]);
  expect(profile.syscalls.every(({ names }) => names.every((name) => name !== ""))).toBe(true);
  expect(actionsOf(profile, "read")).toEqual(["SCMP_ACT_ALLOW"]);
  expect(actionsOf(profile, "socket")).toEqual(["SCMP_ACT_ERRNO"]);
  expect(actionsOf(profile, "ptrace")).toEqual(["SCMP_ACT_KILL_PROCESS"]);
  expect(actionsOf(profile, "clone3")).not.toContain("SCMP_ACT_ALLOW");
  expect(rulesOf(profile, "clone")).toEqual([
    { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 0x7e030100, valueTwo: 0x00010100, op: "SCMP_CMP_MASKED_EQ" }] },
  ]);
});

test("no call of a checked kind is allowed without its check", () => {
  for (const name of ["clone", "ioctl", "prctl", "fcntl", "prlimit64"])
    for (const rule of rulesOf(profileOf(), name)) expect(rule.args?.length, name).toBeGreaterThan(0);
  for (const rule of rulesOf(profileOf({ profile: "nojit" }), "mprotect")) expect(rule.args?.length).toBeGreaterThan(0);
  expect(rulesOf(profileOf({ profile: "nojit" }), "mmap")).toHaveLength(2);
});

test("files may be changed where there is a scratch folder", () => {
  expect(actionsOf(profileOf(), "unlink")).toEqual(["SCMP_ACT_ERRNO"]);
  expect(actionsOf(profileOf({}, 1), "unlink")).toEqual(["SCMP_ACT_ALLOW"]);
});
