/** Calls each function of a package with the least that its callers would send, and tells apart how it ended. */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import { call, field, type Json } from "../../packages/cli/src/client.ts";
import type { Connection } from "../../packages/cli/src/connection.ts";
import type { CallReport, CallResult } from "./package-report.ts";
import type { RemotePlatform } from "./remote-platform.ts";
import { sampleCalls, type SampleCall } from "./sample-payloads.ts";

/** Clients of other systems try again for a while before they give up. */
const DEADLINE_MS = 90_000;
const REMOTE =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EACCES|fetch failed|status code \d{3}|Network Error|socket hang up|getaddrinfo|not_authed|invalid_auth|AxiosError/i;
const NOT_LOADED = /Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND|ERR_DLOPEN|ERR_REQUIRE|has no function for|is not a function and/;

export interface CallOptions {
  readonly package: string;
  readonly manifest: Manifest;
  readonly platform: RemotePlatform;
  readonly progress: (text: string) => void;
}

export async function callFunctions(connection: Connection, options: CallOptions): Promise<readonly CallReport[]> {
  const reports: CallReport[] = [];
  for (const sample of sampleCalls(options.manifest, options.platform.url)) {
    options.progress(`calling ${sample.function} (${sample.kind})`);
    reports.push(await callOne(connection, options, sample));
  }
  return reports;
}

/** Whether a failure has its cause in another system that is not there. */
export function isRemoteFailure(message: string, pathsAskedFor: readonly string[]): boolean {
  return pathsAskedFor.length > 0 || REMOTE.test(message);
}

async function callOne(connection: Connection, options: CallOptions, sample: SampleCall): Promise<CallReport> {
  options.platform.take();
  const startedMs = performance.now();
  const path = `/v1/functions/${encodeURIComponent(`@${options.package}/${sample.function}`)}/execute`;
  const ended = await execute(connection, path, sample);
  const { paths, reported } = options.platform.take();
  const ms = Math.round(performance.now() - startedMs);
  const head = { function: sample.function, kind: sample.kind, ms };
  if (ended.result !== "threw") {
    const said = reported.length > 0 ? `reported ${reported.join(", ")}` : ended.detail;
    return { ...head, result: ended.result, detail: said };
  }
  return { ...head, result: isRemoteFailure(ended.detail, paths) ? "remote" : "threw", detail: ended.detail };
}

async function execute(
  connection: Connection,
  path: string,
  sample: SampleCall,
): Promise<{ readonly result: Exclude<CallResult, "remote">; readonly detail: string }> {
  let outcome: Json;
  try {
    outcome = await call(connection, path, { body: { args: sample.payload as Json, deadlineMs: DEADLINE_MS } });
  } catch (error) {
    return { result: "platform", detail: error instanceof Error ? error.message : String(error) };
  }
  if (field(outcome, "status") === "succeeded") return { result: "ran", detail: "" };
  const { error } = outcome as { readonly error?: Json };
  const code = field(error, "code") ?? "";
  const detail = `${code}: ${field(error, "message") ?? ""}`;
  if (NOT_LOADED.test(detail)) return { result: "notLoaded", detail };
  // What the code itself threw; memory, time and processes that died are the host's to explain.
  return { result: code === "FunctionError" || code === "HandlerError" ? "threw" : "platform", detail };
}
