/** The addresses of flows: where it is, readable, and a secret that is compared with that of its trigger. */
import { timingSafeEqual } from "node:crypto";
import type { Scope } from "../../database/database.ts";
import type { Runtime } from "../../runtime/runtime.ts";

export interface FlowAddress {
  readonly scope: Scope;
  readonly flow: string;
  readonly secret: string;
}

/** As long as `FORM` says. */
export function newSecret(runtime: Pick<Runtime, "randomBytes">): string {
  return Buffer.from(runtime.randomBytes(24)).toString("base64url");
}

const FORM = /^([A-Za-z0-9_-]{1,1000})\.([A-Za-z0-9_-]{32})$/;

export function flowAddress({ scope, flow, secret }: FlowAddress): string {
  return `${Buffer.from(JSON.stringify([scope.tenant, scope.branch, flow])).toString("base64url")}.${secret}`;
}

/** Hostile text. Undefined when it is no address. */
export function parseFlowAddress(text: string): FlowAddress | undefined {
  const [, place = "", secret = ""] = FORM.exec(text) ?? [];
  try {
    const parts: unknown = JSON.parse(Buffer.from(place, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts.length !== 3) return undefined;
    const [tenant, branch, flow] = parts.filter((part) => typeof part === "string");
    if (tenant === undefined || branch === undefined || flow === undefined) return undefined;
    return { scope: { tenant, branch }, flow, secret };
  } catch {
    return undefined;
  }
}

export function isSameSecret(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
