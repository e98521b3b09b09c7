/** Who may use the routes of flows, and the name under which a run notes who did. */
import type { Access, DoorRequest } from "../door.ts";

export const READ: Access = ["read", "invoke", "deploy"];
export const RUN: Access = ["invoke"];
export const WRITE: Access = ["deploy"];

export function nameOf({ caller }: Pick<DoorRequest, "caller">): string {
  return caller.actor.keyId ?? caller.actor.kind;
}
