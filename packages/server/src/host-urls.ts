/** Where a host is reached. */
import type { Config } from "./config.ts";
import type { Doors } from "./doors/open-doors.ts";

/** Where clients reach the API and the HTTP actions. */
export interface HostUrls {
  readonly api: string;
  readonly site: string;
  /** Domain of the addresses that emails are taken for; null where none are. */
  readonly mailDomain: string | null;
}

/** Nobody can send a request to the address that means "all of them". */
function hostOf(config: Config): string {
  const address = config.address === "0.0.0.0" || config.address === "::" ? "127.0.0.1" : config.address;
  return address.includes(":") ? `[${address}]` : address;
}

export function grpcAddress(config: Config, { grpcPort }: Doors): string | null {
  return grpcPort === null ? null : `${hostOf(config)}:${grpcPort}`;
}

export function urlsOf(config: Config, doors: Doors): HostUrls {
  const host = hostOf(config);
  const trimmed = (url: string) => url.replace(/\/+$/, "");
  return {
    api: trimmed(config.publicUrl ?? `http://${host}:${doors.apiPort}`),
    mailDomain: config.smtpPort === null ? null : (config.smtpDomain ?? new URL(config.publicUrl ?? "http://localhost").hostname),
    site: trimmed(config.publicSiteUrl ?? `http://${host}:${doors.sitePort}`),
  };
}

/** Whether only this machine's own clients reach the host. A proxy reaches it at the loopback address too, for all the world. */
export function isLocalOnly({ address, publicUrl, publicSiteUrl }: Config): boolean {
  const urls = [publicUrl, publicSiteUrl].filter((url) => url !== null);
  return isLoopback(address) && urls.every((url) => isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, "")));
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}
