/** `doctor`: probes what isolation this machine gives, by building a jail and trying to get out of it. */
import { PlinthError } from "@plinth/core/errors.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { TierReport } from "../sandbox/jail/tiers.ts";
import { createSandbox } from "../sandbox/pool.ts";

const TIER_MEANING = [
  "no jail; code runs only with the unsafe setting, for one tenant",
  "a jail starts, but a layer of it does not hold; one tenant only",
  "namespaces, seccomp and limits of the process",
  "namespaces, seccomp, control groups and a user per jail",
] as const;

export async function doctor(args: readonly string[]): Promise<number> {
  const asJson = args.includes("--json");
  try {
    const sandbox = await createSandbox({ runtime: createSystemRuntime(), warmRunners: 0 });
    const { report } = sandbox;
    await sandbox.close();
    process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : describe(report));
    return report.tier >= 2 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    const { code, message, next } = error;
    process.stdout.write(
      asJson
        ? `${JSON.stringify({ tier: 0, layers: [], code, message, next })}\n`
        : `Isolation tier 0: ${TIER_MEANING[0]}.\n${message} ${next}\n`,
    );
    return error.spec.exitCode;
  }
}

function describe(report: TierReport): string {
  const layers = report.layers.map(
    (layer) =>
      `  ${layer.engaged ? "yes" : "NO "}  ${layer.name}: ${layer.detail}${layer.advice === undefined ? "" : `\n       ${layer.advice}`}`,
  );
  return `Isolation tier ${report.tier}: ${TIER_MEANING[report.tier]}.\n${layers.join("\n")}\n`;
}
