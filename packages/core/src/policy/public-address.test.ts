import fc from "fast-check";
import { isIP } from "node:net";
import { describe, expect, test } from "vitest";
import { isPublicAddress, isSameAddress } from "./public-address.ts";

const REFUSED = [
  // loopback, unspecified, private, link-local, carrier-grade NAT, multicast, broadcast, reserved
  "0.0.0.0",
  "0.1.2.3",
  "127.0.0.1",
  "127.255.255.254",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "100.64.0.1",
  "100.127.255.255",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "192.0.2.1",
  "198.51.100.7",
  "203.0.113.9",
  "198.18.0.1",
  "198.19.255.255",
  "192.88.99.1",
  // services of clouds
  "168.63.129.16",
  "100.100.100.200",
  "192.0.0.192",
  "fd00:ec2::254",
  "fe80::a9fe:a9fe",
  // IPv6: loopback, unspecified, compatible, mapped (three spellings), translated, NAT64, discard, local, multicast
  "::",
  "::1",
  "::7f00:1",
  "::127.0.0.1",
  "::8.8.8.8",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:7f00:1",
  "0:0:0:0:0:ffff:a9fe:a9fe",
  "::ffff:0:127.0.0.1",
  "64:ff9b::8.8.8.8",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "100::1",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "fec0::1",
  "ff02::1",
  "5f00::1",
  // 6to4, Teredo, documentation, assignments
  "2002:7f00:1::",
  "2002:a9fe:a9fe::1",
  "2001::1",
  "2001:0:7f00:1::",
  "2001:20::1",
  "2001:db8::1",
  "3fff::1",
  // unusual spellings and things that are no address
  "127.1",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "2130706433",
  "8.8.8",
  "08.8.8.8",
  "8.8.8.8.",
  "8.8.8.8 ",
  " 8.8.8.8",
  "8.8.8.256",
  "8.8.8.8/32",
  "[2606:4700::1111]",
  "2606:4700::1111%eth0",
  "fe80::1%1",
  "2606:4700:::1111",
  "①.1.1.1",
  "",
  "localhost",
  "example.com",
  "8.8.8.8\u0000",
  "1:2:3:4:5:6:7:8:9",
  ":",
  "2606:4700::1.1.1.1.1",
];

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "93.184.216.34",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "168.63.129.15",
  "168.63.129.17",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2001:4860:4860::8888",
  "2a00:1450::1",
  "2001:200::1",
  "2003::1",
  "2600:1f00:0000:0000:0000:0000:0000:0001",
];

describe("isPublicAddress", () => {
  test.each(REFUSED)("refuses %j", (text) => expect(isPublicAddress(text)).toBe(false));
  test.each(PUBLIC)("admits %j", (text) => expect(isPublicAddress(text)).toBe(true));

  test("agrees with arithmetic on every IPv4 address", () => {
    fc.assert(
      fc.property(ipv4(), (address) => {
        const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
        expect(isPublicAddress(text)).toBe(!refusedV4(address));
      }),
      { numRuns: 3000 },
    );
  });

  test("agrees with arithmetic on every IPv6 address, however it is written", () => {
    fc.assert(
      fc.property(ipv6Groups(), fc.boolean(), (groups, short) => {
        const text = short ? new URL(`http://[${hex(groups)}]`).hostname.slice(1, -1) : hex(groups);
        const [first, second] = [groups[0] ?? 0, groups[1] ?? 0];
        const global = first >= 0x2000 && first <= 0x3fff;
        const refused =
          (first === 0x2001 && (second < 0x200 || second === 0xdb8)) || first === 0x2002 || (first === 0x3fff && second < 0x1000);
        expect(isPublicAddress(text)).toBe(global && !refused);
      }),
      { numRuns: 3000 },
    );
  });

  test("admits nothing that Node does not take for an address", () => {
    const pieces = fc.constantFrom("1", "8", "255", "0", ".", ":", "::", "%", "x", "f", "2606", "٣", " ");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
        ),
        (text) => {
          if (isPublicAddress(text)) expect(isIP(text)).not.toBe(0);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("admits no IPv6 address that carries an IPv4 one in a known way", () => {
    fc.assert(
      fc.property(ipv4(), fc.constantFrom("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::"), (address, prefix) => {
        const [high, low] = [(address >>> 16).toString(16), (address & 0xffff).toString(16)];
        expect(isPublicAddress(`${prefix}${high}:${low}`)).toBe(false);
        expect(isPublicAddress(`2002:${high}:${low}::1`)).toBe(false);
        expect(isPublicAddress(`2001:0:${high}:${low}::1`)).toBe(false);
      }),
    );
  });
});

test("isSameAddress sees through the spelling of zeros and nothing else", () => {
  expect(isSameAddress("2606:4700::1111", "2606:4700:0:0:0:0:0:1111")).toBe(true);
  expect(isSameAddress("1.1.1.1", "1.1.1.1")).toBe(true);
  expect(isSameAddress("::ffff:1.1.1.1", "1.1.1.1")).toBe(false);
  expect(isSameAddress("1.1.1.1", "1.1.1.2")).toBe(false);
  expect(isSameAddress("x", "x")).toBe(false);
});

const REFUSED_V4_BITS: readonly (readonly [number, number])[] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa83f8110, 32],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0000200, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xc6336400, 24],
  [0xcb007100, 24],
  [0xe0000000, 3],
];

function refusedV4(address: number): boolean {
  return REFUSED_V4_BITS.some(([base, bits]) => address >>> (32 - bits) === base >>> (32 - bits));
}

/** Addresses anywhere, and just around the borders of the refused ranges. */
function ipv4(): fc.Arbitrary<number> {
  const near = fc
    .tuple(fc.constantFrom(...REFUSED_V4_BITS), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([[base, bits], offset, end]) => (base + (end ? 2 ** (32 - bits) : 0) + offset) >>> 0);
  return fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), near);
}

function ipv6Groups(): fc.Arbitrary<readonly number[]> {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const first = fc.oneof(fc.constantFrom(0x1fff, 0x2000, 0x2001, 0x2002, 0x2003, 0x3fff, 0x4000, 0xfe80, 0xfc00), group);
  const second = fc.oneof(fc.constantFrom(0, 0x1ff, 0x200, 0xdb8, 0xfff, 0x1000), group);
  return fc.tuple(first, second, fc.array(group, { minLength: 6, maxLength: 6 })).map(([a, b, rest]) => [a, b, ...rest]);
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}
