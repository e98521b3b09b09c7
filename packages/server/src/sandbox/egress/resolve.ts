/**
 * From a target to the addresses that may be connected to. The addresses that leave this file are the
 * ones that the socket is opened to: nothing resolves the name a second time.
 */
import { isPublicAddress, isSameAddress } from "@plinth/core/policy/public-address.ts";
import { isIP } from "node:net";
import { promises as dns } from "node:dns";
import { networkInterfaces } from "node:os";
import { errorCode, failed, refused } from "./fetch-errors.ts";
import type { Target } from "./target.ts";

/** Gives all addresses of a name, IPv4 first; rejects when it has none. */
export interface Resolver {
  resolve(hostname: string): Promise<readonly string[]>;
  close(): void;
}

/** The addresses of a target; throws FetchRefused unless every one of them may be reached. */
export async function resolveTarget(
  target: Target,
  sources: { readonly resolver: Resolver; readonly ownAddresses: () => readonly string[] },
): Promise<readonly string[]> {
  const addresses = target.isAddress ? [target.hostname] : await lookUp(target, sources.resolver);
  if (!target.privateAllowed) {
    const own = sources.ownAddresses();
    // One bad address is enough: which of them is used must not be a matter of luck.
    for (const address of addresses) {
      if (!isPublicAddress(address)) throw refused(target.url, "the address is not on the public internet");
      if (own.some((each) => isSameAddress(each, address))) throw refused(target.url, "the address is that of the host itself");
    }
  }
  return addresses;
}

async function lookUp(target: Target, resolver: Resolver): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolver.resolve(target.hostname);
  } catch (error) {
    throw failed(target.url, `the host name cannot be resolved (${errorCode(error)})`, error);
  }
  if (addresses.length === 0) throw failed(target.url, "the host name has no address");
  if (addresses.some((address) => isIP(address) === 0)) throw refused(target.url, "the host name has an address that is not one");
  return addresses;
}

/** The addresses of this machine; a public one of them leads to services that a firewall hides from outside. */
export function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address));
}

/**
 * The resolver of production. It asks the DNS servers of the system directly: no search domains, no hosts
 * file, and no thread of the pool that a slow name could hold.
 */
export class SystemResolver implements Resolver {
  readonly #servers: dns.Resolver;

  constructor(options: {
    readonly timeoutMs: number;
    /** `address:port`; those of the system unless given. */ readonly servers?: readonly string[];
  }) {
    this.#servers = new dns.Resolver({ timeout: options.timeoutMs, tries: 2 });
    if (options.servers !== undefined) this.#servers.setServers(options.servers);
  }

  async resolve(hostname: string): Promise<readonly string[]> {
    if (hostname === "localhost" || hostname.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    const [v4, v6] = await Promise.allSettled([this.#servers.resolve4(hostname), this.#servers.resolve6(hostname)]);
    if (v4.status === "rejected" && v6.status === "rejected") throw v4.reason;
    return [...(v4.status === "fulfilled" ? v4.value : []), ...(v6.status === "fulfilled" ? v6.value : [])];
  }

  close(): void {
    this.#servers.cancel();
  }
}
