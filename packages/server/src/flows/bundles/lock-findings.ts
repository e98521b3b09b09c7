/** Packages that the code of a flow names need an entry in its lock, whose bundle is there and holds what the entry says. */
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import { dependencySet, type DependencySet, dependencySets, lockOf, sameTexts } from "@plinth/core/flow/dependencies.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import type { Scope } from "../../database/database.ts";
import type { FlowBundles } from "./flow-bundles.ts";

/** `bundles` is absent where a host has none. What publishing with the command line brings has the severity `missing`. */
export async function lockFindings(
  bundles: Pick<FlowBundles, "get"> | undefined,
  scope: Scope,
  definition: FlowDefinition,
  missing: FlowFinding["severity"],
): Promise<readonly FlowFinding[]> {
  const found: FlowFinding[] = [];
  const used = new Set<unknown>();
  for (const { node, path, language, dependencies } of setsOf(definition)) {
    const entry = lockOf(definition.lock, language, dependencies);
    if (entry === null)
      found.push({
        ...{ path, node, severity: missing },
        message: `${path} names packages that the flow's lock does not have; publish with \`plinth flow publish\`, which finds and bundles them.`,
      });
    else used.add(entry);
  }
  for (const [at, entry] of definition.lock.entries()) {
    const path = `lock[${at}]`;
    const common = { path, node: null };
    if (!used.has(entry)) {
      found.push({ ...common, severity: "warning", message: `${path} is used by no node; remove it.` });
      continue;
    }
    const bundle = await bundles?.get(scope, entry.digest).catch((error: unknown) => {
      if (error instanceof PlinthError && error.code === "InvalidBundle") return undefined;
      throw error;
    });
    if (bundle === undefined)
      found.push({
        ...{ ...common, severity: missing },
        message: `${path} refers to a bundle that this host does not have; publish with \`plinth flow publish\`, which makes it again.`,
      });
    else if (
      bundle.language !== entry.language ||
      !sameTexts(bundle.dependencies, entry.dependencies) ||
      !sameTexts(bundle.packages, entry.packages.toSorted())
    )
      found.push({ ...common, severity: "error", message: `${path} does not say what its bundle holds; remove it and publish again.` });
  }
  return found;
}

/** Digests of the bundles that a definition uses. */
export function bundlesOf(definition: FlowDefinition): readonly string[] {
  const entries = dependencySets(definition).map(({ language, dependencies }) => lockOf(definition.lock, language, dependencies)?.digest);
  return [...new Set(entries.filter((digest) => digest !== undefined))];
}

interface PlacedSet extends DependencySet {
  readonly node: string;
  readonly path: string;
}

function setsOf(definition: FlowDefinition): readonly PlacedSet[] {
  return Object.entries(definition.nodes).flatMap(([node, { compensate, ...own }]) => [
    ...placed(node, `nodes.${node}`, own),
    ...(compensate === null ? [] : placed(node, `nodes.${node}.compensate`, compensate)),
  ]);
}

function placed(node: string, at: string, part: Parameters<typeof dependencySet>[0]): readonly PlacedSet[] {
  const set = dependencySet(part);
  return set === null ? [] : [{ ...set, node, path: `${at}.data.dependencies` }];
}
