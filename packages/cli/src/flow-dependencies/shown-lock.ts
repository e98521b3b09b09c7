import type { LockedDependencies } from "@plinth/core/flow/dependencies.ts";
import { note } from "../output.ts";
import type { LockedFlow } from "./lock-flow.ts";

const PACKAGES_SHOWN = 12;

/** Says which packages the code of a flow gets, and which of them were found now. */
export function showLock({ lock, resolved }: LockedFlow): void {
  for (const entry of lock) note(`${lockText(entry)}${resolved.includes(entry) ? "" : " (as before)"}`);
}

function lockText({ language, dependencies, packages }: LockedDependencies): string {
  const shown = packages.slice(0, PACKAGES_SHOWN).join(", ");
  const more = packages.length - PACKAGES_SHOWN;
  return `${language}: ${dependencies.join(", ")} → ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}
