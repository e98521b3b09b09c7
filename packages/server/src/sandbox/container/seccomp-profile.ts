/**
 * The jail's policy of system calls in the engines' form, for containers that share the engine's kernel: the engines' own profiles let
 * a program start processes and open sockets, some of which no network namespace holds (those to a hypervisor).
 *
 * What a checked call is refused with is the default (ENOSYS) here, because the form knows one verdict for each call.
 */
import { policyOf, type Verdict } from "../jail/seccomp.ts";
import { type Architecture, SYSCALL_NUMBERS, type SyscallName, syscallNumber } from "../jail/syscalls.ts";
import type { CellSpec } from "../provider.ts";

const ENOSYS = 38;
/** What the OCI runtime itself still calls between the policy and the program: it looks whether /proc is what it should be. */
const OF_RUNTIME = ["fstatfs"];
const LOW_WORD = 0xffff_ffff;
const ARCHITECTURES = { x86_64: "SCMP_ARCH_X86_64", aarch64: "SCMP_ARCH_AARCH64" } as const satisfies Record<Architecture, string>;

type Check = Extract<Verdict, { kind: "check" }>["check"];
type Test = Pick<Check, "argument" | "mask" | "allowed">;
interface Argument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}
interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly Argument[];
}

/** Undefined where there is no policy for this machine's processor. */
export function seccompProfile({ image, scratchBytes }: CellSpec): string | undefined {
  const architecture = process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : undefined;
  if (architecture === undefined) return undefined;
  const names = namesOf(architecture);
  const syscalls: Rule[] = [{ names: OF_RUNTIME, action: "SCMP_ACT_ALLOW" }];
  for (const [number, verdict] of policyOf(architecture, image.profile, scratchBytes > 0))
    syscalls.push(...rulesOf(names.get(number) ?? "", verdict));
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    architectures: [ARCHITECTURES[architecture]],
    syscalls,
  });
}

function rulesOf(name: string, verdict: Verdict): readonly Rule[] {
  const names = [name];
  switch (verdict.kind) {
    case "allow":
      return [{ names, action: "SCMP_ACT_ALLOW" }];
    case "errno":
      return [{ names, action: "SCMP_ACT_ERRNO", errnoRet: verdict.errno }];
    case "kill":
      return [{ names, action: "SCMP_ACT_KILL_PROCESS" }];
    case "check": {
      const { check } = verdict;
      if (check.mask === 0) return [{ names, action: "SCMP_ACT_ALLOW" }];
      // Arguments of one rule must all match; of several rules one is enough.
      const and = check.and?.allowed.map((value): Argument => ({ index: check.and?.argument ?? 0, value, op: "SCMP_CMP_EQ" })) ?? [];
      const matches = [...argumentsOf(check), ...(check.or === undefined ? [] : argumentsOf(check.or))];
      return matches.map((argument) => ({ names, action: "SCMP_ACT_ALLOW", args: [argument, ...and] }));
    }
  }
}

/** The kernel takes these arguments as 32-bit values, so the high word does not count. */
function argumentsOf({ argument, mask = LOW_WORD, allowed }: Test): readonly Argument[] {
  return allowed.map((valueTwo) => ({ index: argument, value: mask, valueTwo, op: "SCMP_CMP_MASKED_EQ" }));
}

function namesOf(architecture: Architecture): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const name of Object.keys(SYSCALL_NUMBERS)) {
    if (!isSyscallName(name)) continue;
    const number = syscallNumber(name, architecture);
    if (number !== undefined) names.set(number, name);
  }
  return names;
}

function isSyscallName(name: string): name is SyscallName {
  return name in SYSCALL_NUMBERS;
}
