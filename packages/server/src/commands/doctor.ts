/** `doctor`: probes what isolation this machine gives, by building a jail and trying to get out of it. */
import { PlinthError } from "@plinth/core/errors.ts";
import { readConfig } from "../config.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { openProviderOf } from "../sandbox/open-sandbox.ts";
import type { Layer, TierReport } from "../sandbox/jail/tiers.ts";
import { createSandbox } from "../sandbox/pool.ts";

const TIER_MEANING = [
  "no jail; code runs only with the unsafe setting, for one tenant",
  "a jail starts, but a layer of it does not hold; one tenant only",
  "namespaces, seccomp and limits of the process",
  "namespaces, seccomp, control groups and a user per jail, or containers",
  "a kernel of its own around the code",
] as const;

export async function doctor(args: readonly string[]): Promise<number> {
  const asJson = args.includes("--json");
  try {
    const config = readConfig(args.filter((arg) => arg !== "--json"));
    const runtime = createSystemRuntime();
    const provider = await openProviderOf(config, runtime);
    const sandbox = await createSandbox({ runtime, warmRunners: 0, ...(provider === undefined ? {} : { provider }) });
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

function describe({ tier, layers, packages }: TierReport): string {
  const cells =
    packages === undefined
      ? ""
      : `Packages run in containers of tier ${packages.tier} (${packages.detail}).\n${linesOf(packages.layers)}\n`;
  return `Isolation tier ${tier}: ${TIER_MEANING[tier]}.\n${linesOf(layers)}\n${cells}`;
}

function linesOf(layers: readonly Layer[]): string {
  return layers
    .map(
      (layer) =>
        `  ${layer.engaged ? "yes" : "NO "}  ${layer.name}: ${layer.detail}${layer.advice === undefined ? "" : `\n       ${layer.advice}`}`,
    )
    .join("\n");
}
