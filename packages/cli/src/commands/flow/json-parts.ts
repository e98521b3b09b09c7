/** Parts of answers of the host. */
import { field, type Json } from "../../client.ts";

export function part(json: Json | undefined, name: string): Json | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return (json as { readonly [name: string]: Json | undefined })[name];
}

export function listOf(json: Json | undefined, name: string): readonly Json[] {
  const list = part(json, name);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}

export function textsOf(json: Json | undefined, name: string): readonly string[] {
  return listOf(json, name).filter((item) => typeof item === "string");
}

export function text(json: Json | undefined, name: string): string {
  return field(json, name) ?? "";
}

export function numberOf(json: Json | undefined, name: string): number {
  const value = part(json, name);
  return typeof value === "number" ? value : 0;
}

export function runPath(run: string, verb = ""): string {
  return `/v1/flow-runs/${encodeURIComponent(run)}${verb === "" ? "" : `/${verb}`}`;
}

/** Why a run waits, or failed. */
export function whyText(run: Json | undefined): string {
  return text(part(run, "reason"), "text") || text(part(run, "error"), "message");
}
