/**
 * Which host a command speaks to, and with which key: options first, then PLINTH_URL and PLINTH_ADMIN_KEY, then the
 * `.plinth/host.json` that a host on this machine writes (looked for in this folder and those above it).
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandFailure } from "./failure.ts";

export interface Connection {
  /** Base of all paths; ends with `/t/<tenant>` for a tenant other than the default one. */
  readonly url: string;
  readonly key: string | undefined;
}

export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly tenant?: string | undefined;
}

/** What a running host leaves for the command line; readable by its owner only. */
interface HostFile {
  readonly url: string;
  readonly adminKey: string;
}

export function findConnection(options: ConnectionOptions): Connection {
  const hostFile = options.url === undefined && process.env["PLINTH_URL"] === undefined ? readHostFile(process.cwd()) : undefined;
  const url = options.url ?? process.env["PLINTH_URL"] ?? hostFile?.url ?? "http://127.0.0.1:3210";
  const key = options.key ?? process.env["PLINTH_ADMIN_KEY"] ?? hostFile?.adminKey;
  return { url: url.replace(/\/+$/, "") + tenantPath(options.tenant), key };
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
