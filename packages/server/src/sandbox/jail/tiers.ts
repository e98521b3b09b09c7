/**
 * Isolation tiers: how much stands between user code and the host, by what probes found.
 *
 * - 4: a kernel of its own around the cells (containers of gVisor or of a virtual machine).
 * - 3: namespaces, seccomp, memory and process limits by control group, a user per jail;
 *   or containers that withstand the probes.
 * - 2: namespaces, seccomp, limits of the process; the jail runs as the host's ordinary user, or without
 *   control groups.
 * - 1: a jail starts but one of its layers does not hold.
 * - 0: no jail.
 *
 * Below 2 the host serves one tenant only.
 */
import type { ProbeResult } from "./probe.ts";

export type Tier = 0 | 1 | 2 | 3 | 4;

export interface Layer {
  readonly name: string;
  readonly engaged: boolean;
  readonly detail: string;
  /** How to get it, where it is missing. */
  readonly advice?: string;
}

export interface TierReport {
  readonly tier: Tier;
  readonly layers: readonly Layer[];
  /** Of the cells of packages and inline code, where they are not jails of this machine. The host's tier is the lower one. */
  readonly packages?: CellsReport;
}

/** What the cells of another provider withstand. */
export interface CellsReport {
  readonly provider: "container";
  readonly tier: Tier;
  /** Engine and OCI runtime. */
  readonly detail: string;
  readonly layers: readonly Layer[];
}

export interface JailFacts {
  readonly probes: readonly ProbeResult[];
  readonly userPerJail: boolean;
  readonly cgroupVersion: 1 | 2 | undefined;
}

/** Which probes show that a layer holds. */
const LAYERS: readonly { readonly name: string; readonly probes: readonly string[] }[] = [
  { name: "namespaces", probes: ["start", "network", "identity", "descriptors"] },
  { name: "file system", probes: ["files", "writing"] },
  { name: "seccomp", probes: ["seccomp", "processes"] },
  { name: "no privileges", probes: ["user", "capabilities"] },
  { name: "memory limit", probes: ["memory"] },
  { name: "kill", probes: ["kill"] },
];

export function judgeTier(facts: JailFacts): TierReport {
  const layers = [
    ...LAYERS.map(({ name, probes }) => layerFrom(name, probes, facts.probes)),
    facts.userPerJail
      ? { name: "user per jail", engaged: true, detail: "each jail has a user of its own" }
      : {
          name: "user per jail",
          engaged: false,
          detail: "jails run as the host's user",
          advice: "Run the host as root: it drops every jail to a user of its own.",
        },
    facts.cgroupVersion === undefined
      ? {
          name: "control groups",
          engaged: false,
          detail: "none",
          advice: "Run the host where it may make control groups: as root, or as a systemd service with Delegate=yes.",
        }
      : { name: "control groups", engaged: true, detail: `version ${facts.cgroupVersion}` },
  ];
  return { tier: tierOf(facts, layers), layers };
}

/** The report of a host that was told to run without a jail. */
export function withoutJail(): TierReport {
  return {
    tier: 0,
    layers: [
      {
        name: "jail",
        engaged: false,
        detail: "switched off by the unsafe setting",
        advice: "Remove the setting; only code that you would run by hand may run like this.",
      },
    ],
  };
}

function tierOf(facts: JailFacts, layers: readonly Layer[]): Tier {
  if (!facts.probes.some((probe) => probe.name === "start" && probe.ok)) return 0;
  const base = layers.filter((layer) => LAYERS.some(({ name }) => name === layer.name));
  if (base.some((layer) => !layer.engaged)) return 1;
  return layers.every((layer) => layer.engaged) ? 3 : 2;
}

function layerFrom(name: string, names: readonly string[], probes: readonly ProbeResult[]): Layer {
  const found = names.map((each) => probes.find((probe) => probe.name === each) ?? { name: each, ok: false, detail: "not probed" });
  const failed = found.filter((probe) => !probe.ok);
  if (failed.length === 0) return { name, engaged: true, detail: "holds" };
  return {
    name,
    engaged: false,
    detail: failed.map((probe) => `${probe.name}: ${probe.detail}`).join("; "),
    advice: "Report it with the output of `plinth doctor`; the jail of this host does not hold.",
  };
}
