/**
 * Decides which addresses the public internet may have. Everything that is not known to be public is
 * refused: private networks, the host itself, the cloud's metadata services, transition mechanisms that
 * carry an IPv4 address inside an IPv6 one, and ranges kept for documentation, tests or later use.
 */
import ipaddr from "ipaddr.js";

/** Ranges of IPv4 that are not the public internet, with what they are. */
const REFUSED_V4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT; holds a metadata service (100.100.100.200)
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // a cloud's host agent, although it looks public
  "169.254.0.0/16", // link-local; holds most metadata services
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments; holds a metadata service (192.0.0.192)
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
].map((range) => ipaddr.IPv4.parseCIDR(range));

/** The part of IPv6 that is given out for the public internet. Loopback, mapped, NAT64 and local addresses lie outside. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Ranges within the global part that are not the public internet. */
const REFUSED_V6 = [
  "2001::/23", // protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4 carries any IPv4 address
  "3fff::/20", // documentation
].map((range) => ipaddr.IPv6.parseCIDR(range));

/**
 * True when `text` is an address of the public internet in its ordinary form: four decimal numbers, or
 * IPv6 without brackets and zone. Other spellings (octal, hexadecimal, short, with a zone) are not
 * interpreted, so they are not public; a URL parser turns them into the ordinary form first.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (address instanceof ipaddr.IPv4) return !REFUSED_V4.some(([base, bits]) => address.match(base, bits));
  return address.match(GLOBAL_V6[0], GLOBAL_V6[1]) && !REFUSED_V6.some(([base, bits]) => address.match(base, bits));
}

/** True when both texts are the same address in ordinary form, however its zeros are written. */
export function isSameAddress(left: string, right: string): boolean {
  const a = parseAddress(left);
  const b = parseAddress(right);
  return a !== undefined && b !== undefined && a.toNormalizedString() === b.toNormalizedString();
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // The length and the letters are checked first: zones and anything else that is unusual stay out.
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return undefined;
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
}
