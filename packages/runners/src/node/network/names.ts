/**
 * Addresses of names, without a resolver: each name gets a placeholder address of its own, so that clients which resolve before they
 * connect go on. The host resolves the name again, for real.
 */
import { isIP } from "node:net";

/** 198.18.0.0/15 is set aside for tests of networks and routed nowhere. */
const PREFIX = "198.18";
const NAMES_MAX = 60_000;

const addressOf = new Map<string, string>();
const nameOf = new Map<string, string>();

/** The placeholder of a name, or the address itself. */
export function placeholderAddress(name: string): string {
  if (isIP(name) !== 0) return name;
  const known = addressOf.get(name);
  if (known !== undefined) return known;
  if (addressOf.size >= NAMES_MAX) {
    addressOf.clear();
    nameOf.clear();
  }
  const number = addressOf.size + 1;
  const address = `${PREFIX}.${number >> 8}.${number & 255}`;
  addressOf.set(name, address);
  nameOf.set(address, name);
  return address;
}

/** The name behind a placeholder; anything else stays as it is. */
export function nameBehind(host: string): string {
  return nameOf.get(host) ?? host;
}
