/** Packages that are active on a branch, with what they declare: where triggers find their function. */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import type { SnapIn } from "../snap-ins/snap-ins.ts";
import type { ModalityContext } from "./modality-context.ts";

export interface ActivePackage {
  readonly snapIn: SnapIn;
  readonly manifest: Manifest;
}

/** Oldest first, so that what is declared twice stays with who had it first. */
export async function activePackages(
  context: Pick<ModalityContext, "snapIns" | "packages">,
  scope: Scope,
): Promise<readonly ActivePackage[]> {
  const live = (await context.snapIns.list(scope)).filter(({ state }) => state === "active");
  const found = await Promise.all(live.toSorted((a, b) => a.createdMs - b.createdMs).map((snapIn) => withManifest(context, scope, snapIn)));
  return found.filter((entry) => entry !== undefined);
}

/** The active package of a snap-in's id; undefined when there is none. */
export async function activePackage(
  context: Pick<ModalityContext, "snapIns" | "packages">,
  scope: Scope,
  id: string,
): Promise<ActivePackage | undefined> {
  const snapIn = await context.snapIns.get(scope, id);
  return snapIn?.state === "active" ? await withManifest(context, scope, snapIn) : undefined;
}

async function withManifest(
  { packages }: Pick<ModalityContext, "packages">,
  scope: Scope,
  snapIn: SnapIn,
): Promise<ActivePackage | undefined> {
  const version = await packages.version(scope, snapIn.package, snapIn.version);
  return version === undefined ? undefined : { snapIn, manifest: version.manifest };
}
