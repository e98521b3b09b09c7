/**
 * Which host a command speaks to, and with which key: options first, then PLINTH_URL and PLINTH_ADMIN_KEY, then the
 * `.plinth/host.json` that a host on this machine writes (looked for in this folder and those above it). Likewise the branch:
 * options, PLINTH_BRANCH and PLINTH_BRANCH_KEY, and the keys that `plinth branches create` kept.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findBranchKey } from "./branch-keys.ts";
import { CommandFailure } from "./failure.ts";

export interface Connection {
  /** Base of all paths; ends with `/t/<tenant>` for a tenant other than the default one. */
  readonly url: string;
  readonly key: string | undefined;
  /** Headers that name the branch; none for `main`. */
  readonly branchHeaders?: Readonly<Record<string, string>>;
}

export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly tenant?: string | undefined;
  readonly branch?: string | undefined;
  readonly branchKey?: string | undefined;
}

/** What a running host leaves for the command line; readable by its owner only. */
interface HostFile {
  readonly url: string;
  readonly adminKey: string;
}

export function findConnection(options: ConnectionOptions): Connection {
  const givenUrl = (options.url ?? process.env["PLINTH_URL"])?.replace(/\/+$/, "");
  const givenKey = options.key ?? process.env["PLINTH_ADMIN_KEY"];
  const hostFile = readHostFile(process.cwd());
  const url = givenUrl ?? hostFile?.url ?? "http://127.0.0.1:3210";
  // The key of a host on this machine is never sent to another one.
  const key = givenKey ?? (hostFile !== undefined && sameOrigin(hostFile.url, url) ? hostFile.adminKey : undefined);
  const base = url + tenantPath(options.tenant);
  return { url: base, key, branchHeaders: branchHeaders(base, options) };
}

function branchHeaders(url: string, options: ConnectionOptions): Readonly<Record<string, string>> {
  const usual = process.env["PLINTH_BRANCH"] || undefined;
  const branch = options.branch ?? usual;
  if (branch === undefined || branch === "main") return {};
  // The key of the environment is that of its branch.
  const usualKey = usual === undefined || usual === branch ? process.env["PLINTH_BRANCH_KEY"] || undefined : undefined;
  const key = options.branchKey ?? usualKey ?? findBranchKey(url, branch);
  // Other characters cannot stand in a header; the host would refuse them as it refuses any name that is none.
  if (![branch, key ?? "x"].every((text) => /^[\x21-\x7e]+$/.test(text)))
    throw new CommandFailure("The branch and its key have no spaces and only ASCII characters.", 4);
  return { "x-plinth-branch": branch, ...(key === undefined ? {} : { "x-plinth-branch-key": key }) };
}

/** A host that was started in this folder or one above it, and still answers. */
export async function findRunningHost(): Promise<string | undefined> {
  const hostFile = readHostFile(process.cwd());
  if (hostFile === undefined) return undefined;
  try {
    const response = await fetch(`${hostFile.url}/healthz`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? hostFile.url : undefined;
  } catch {
    return undefined;
  }
}

function sameOrigin(a: string, b: string): boolean {
  const origin = (text: string) => (URL.canParse(text) ? new URL(text).origin.replace("//localhost", "//127.0.0.1") : text);
  return origin(a) === origin(b);
}

function tenantPath(tenant: string | undefined): string {
  return tenant === undefined || tenant === "default" ? "" : `/t/${encodeURIComponent(tenant)}`;
}

function readHostFile(from: string): HostFile | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, ".plinth", "host.json");
    if (existsSync(path)) return parseHostFile(path);
    if (dirname(folder) === folder) return undefined;
  }
}

function parseHostFile(path: string): HostFile | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof json !== "object" || json === null) return undefined;
    const { url, adminKey } = json as Record<string, unknown>;
    return typeof url === "string" && typeof adminKey === "string" ? { url, adminKey } : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") {
      throw new CommandFailure(`${path} belongs to another user; give the host and key with --url and --key.`, 4);
    }
    return undefined;
  }
}
