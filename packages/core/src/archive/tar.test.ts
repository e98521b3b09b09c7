import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { PlinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { BLOCK_BYTES } from "./tar-format.ts";
import { writeTar } from "./tar-writer.ts";
import { pax, paxRecord, rawTar, readTar, type RawEntry } from "./test-tar.ts";

const refusal = (detail: string) => expect.objectContaining({ code: "InvalidPackage", message: expect.stringContaining(detail) });
const reads = (entries: readonly RawEntry[]) => readTar(rawTar(entries));

describe("X1 names", () => {
  it.each([
    ["../x", "leaves its folder"],
    ["a/../x", "leaves its folder"],
    ["a/..", "leaves its folder"],
    ["..", "leaves its folder"],
    ["./../x", "leaves its folder"],
    ["/etc/passwd", "absolute"],
    ["//host/share", "absolute"],
    [".//x", "absolute"],
    ["a\\b", "backslash"],
    ["\\\\host\\share", "backslash"],
    ["..\\x", "backslash"],
    ["C:x", "drive"],
    ["c:/x", "drive"],
    [".", "ends with a dot"],
    ["a/.", "ends with a dot"],
    ["a/./b", "ends with a dot"],
    ["...", "ends with a dot"],
    ["a.", "ends with a dot"],
    ["a /b", "ends with a dot or a space"],
    ["a ", "ends with a dot or a space"],
    ["a//b", "empty part"],
    ["", "empty part"],
    ["a\nb", "control character"],
    ["a\u007fb", "control character"],
    ["a\u202eb", "control character"],
    ["a\u0085b", "control character"],
  ])("refuses %j", (name, detail) => {
    expect(() => reads([{ name, body: "x" }])).toThrow(refusal(detail));
    expect(() => reads([pax({ path: name }), { name: "ok", body: "x" }])).toThrow(PlinthError);
    expect(() =>
      reads([
        { name: "././@LongLink", type: "L", body: `${name}\0` },
        { name: "ok", body: "x" },
      ]),
    ).toThrow(PlinthError);
  });

  it("refuses zero bytes and names that are not UTF-8", () => {
    expect(() => reads([{ name: "a\0b" }])).toThrow(refusal("zero byte"));
    expect(() => reads([pax({ path: "a\0b" }), { name: "ok" }])).toThrow(refusal("control character"));
    expect(() => reads([{ name: "x", type: "L", body: "a\0b" }, { name: "ok" }])).toThrow(refusal("zero byte"));
    expect(() => reads([{ name: new Uint8Array([0x61, 0xff]) }])).toThrow(refusal("not UTF-8"));
  });

  it.each([
    [["a", "a"], "twice"],
    [["a", "A"], "same name"],
    [["a/b", "A/c"], "same name"],
    [["stra\u00dfe", "STRASSE"], "same name"],
    [["\u00e9", "e\u0301"], "same name"],
    [["a", "a/b"], "both a file and a folder"],
    [["a/b", "a"], "both a file and a folder"],
    [["a/", "a"], "both a file and a folder"],
  ])("refuses %j together", (names, detail) => {
    expect(() => reads(names.map((name) => ({ name, type: name.endsWith("/") ? "5" : "0" })))).toThrow(refusal(detail));
  });

  it("takes folders again, the root folder, and `./` before names", () => {
    const entries = [
      { name: "./", type: "5" },
      { name: "./a/", type: "5" },
      { name: "./a/b", body: "1" },
      { name: "a/", type: "5" },
    ];
    expect(reads(entries)).toEqual({ a: null, "a/b": "1" });
  });

  it("bounds length and depth", () => {
    const deep = Array.from({ length: limit("archivePathDepthMax") + 1 }, () => "d").join("/");
    expect(() => reads([pax({ path: deep }), { name: "ok" }])).toThrow(refusal("deeper than"));
    expect(() => reads([pax({ path: `${"a/".repeat(2000)}b` }), { name: "ok" }])).toThrow(refusal("longer than"));
    expect(() => reads([pax({ path: "n".repeat(256) }), { name: "ok" }])).toThrow(refusal("longer than 255"));
    expect(() => reads([pax({ path: "x".repeat(limit("archiveExtensionBytesMax")) }), { name: "ok" }])).toThrow(
      refusal("extended header has"),
    );
  });

  it("bounds the number of entries", () => {
    const archive = rawTar(
      Array.from({ length: 2000 }, (_, i) => ({ name: `f${i}` })),
      new Uint8Array(),
    );
    const block = BLOCK_BYTES;
    const many = Buffer.alloc((limit("archiveEntriesMax") + 1) * block);
    for (let i = 0; i * archive.length < many.length; i++)
      many.set(archive.subarray(0, many.length - i * archive.length), i * archive.length);
    expect(() => readTar(many)).toThrow(refusal("twice"));
    const globals = rawTar([pax({ comment: "x" }, "g")], new Uint8Array());
    const endless = Buffer.alloc((4 * limit("archiveEntriesMax") + 2) * globals.length);
    for (let at = 0; at < endless.length; at += globals.length) endless.set(globals, at);
    expect(() => readTar(endless)).toThrow(refusal("more than"));
  });
});

describe("X3 kinds", () => {
  it.each([
    ["1", "hard link"],
    ["2", "symbolic link"],
    ["3", "device"],
    ["4", "device"],
    ["6", "pipe"],
    ["7", "unknown kind"],
    ["S", "sparse"],
    ["D", "unknown kind"],
    ["Z", "unknown kind"],
    ["K", "link"],
  ])("refuses the kind %s", (type, detail) => {
    expect(() =>
      reads([
        { name: "a", type, body: type === "K" ? "target\0" : "" },
        { name: "a/x", body: "1" },
      ]),
    ).toThrow(refusal(detail));
  });

  it("refuses what extended headers say of links, sparse files and all entries", () => {
    const file = { name: "a", body: "x" };
    expect(() => reads([pax({ linkpath: "/etc" }), file])).toThrow(refusal("link"));
    expect(() => reads([pax({ "GNU.sparse.major": "1" }), file])).toThrow(refusal("sparse"));
    expect(() => reads([pax({ path: "../x" }, "g"), file])).toThrow(refusal("global header"));
    expect(() => reads([pax({ path: "a" }), pax({ path: "b" }), file])).toThrow(refusal("two names"));
    expect(() => reads([{ ...pax({}), body: `${paxRecord("path", "a")}${paxRecord("path", "b")}` }, file])).toThrow(refusal("two names"));
    expect(() => reads([{ name: "x", type: "5", body: "bytes" }])).toThrow(refusal("has bytes"));
  });

  it.each(["", "8 path=a\n", "7 path=a\n", "99999999 path=a\n", "x path=a\n", "9 path=a ", "0 \n", "-1 path=a\n"])(
    "refuses the records %j",
    (body) => {
      expect(() => reads([{ name: "x", type: "x", body }, { name: "a" }])).toThrow(PlinthError);
    },
  );

  it("passes over what changes nothing", () => {
    const records = { mtime: "4323801600.5", uid: "0", "SCHILY.xattr.security.capability": "x", comment: "" };
    expect(reads([pax({ comment: "0123" }, "g"), pax(records), { name: "a", body: "1" }])).toEqual({ a: "1" });
    const odd = (block: Uint8Array): void => block.set(new TextEncoder().encode("0006777\0"), 100);
    expect(reads([{ name: "a", body: "1", change: odd }])).toEqual({ a: "1" });
  });
});

describe("X2 bytes", () => {
  it("refuses what is damaged, cut off or continued", () => {
    const good = rawTar([{ name: "a", body: "hello" }]);
    expect(() => readTar(good.subarray(0, 0))).toThrow(refusal("empty"));
    for (const length of [100, 512, 700, 1024]) expect(() => readTar(good.subarray(0, length)), `${length}`).toThrow(refusal("cut off"));
    expect(() => readTar(Buffer.concat([good, rawTar([{ name: "b" }])]))).toThrow(refusal("behind its end"));
    const damaged = Buffer.from(good);
    damaged[0] = 0x62;
    expect(() => readTar(damaged)).toThrow(refusal("damaged"));
    expect(() => readTar(Buffer.from('{"archive":"file:///etc/passwd"}'.padEnd(2048)))).toThrow(refusal("no tar archive"));
    expect(() => readTar(rawTar([pax({ path: "a" })]))).toThrow(refusal("cut off"));
  });

  it("refuses sizes that are too large, negative or not numbers", () => {
    expect(() => reads([{ name: "a", size: limit("archiveFileBytesMax") + 1 }])).toThrow(refusal("may have"));
    expect(() => reads([pax({ size: "-1" }), { name: "a" }])).toThrow(refusal("cannot be read"));
    expect(() => reads([pax({ size: "9".repeat(30) }), { name: "a" }])).toThrow(refusal("cannot be read"));
    expect(() => reads([{ name: "a", change: (block) => void (block[124] = 0x80) }])).toThrow(refusal("cannot be read"));
    expect(() => reads([{ name: "a", change: (block) => block.set(new TextEncoder().encode("-0000000001"), 124) }])).toThrow(PlinthError);
  });
});

describe("archives of real programs", () => {
  const base = mkdtempSync(join(tmpdir(), "plinth-tar-"));
  afterAll(() => rmSync(base, { recursive: true, force: true }));
  const long = `${"directory-name/".repeat(9)}${"file".repeat(10)}.js`;
  const files = { "manifest.yaml": "version: 2\n", "code/dist/index.js": "x".repeat(5000), [long]: "deep", "code/empty": "" };
  for (const [path, body] of Object.entries(files)) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), body);
  }

  it.each(["gnu", "pax", "ustar", "oldgnu"])("reads what GNU tar writes as %s", (format) => {
    const archive = execFileSync("tar", ["-C", base, `--format=${format}`, "-cf", "-", "."], { maxBuffer: 1 << 24 });
    const found = Object.fromEntries(Object.entries(readTar(archive)).filter(([, body]) => body !== null));
    expect(found).toEqual(files);
  });

  it("writes what GNU tar reads", () => {
    const list = Object.entries(files).map(([path, body]) => ({ path, bytes: Buffer.from(body) }));
    const archive = Buffer.concat([...writeTar(list)]);
    expect(execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).trim().split("\n").sort()).toEqual(
      Object.keys(files).sort(),
    );
    expect(Buffer.concat([...writeTar(list.reverse())]).equals(archive)).toBe(true);
  });
});

describe("any bytes", () => {
  const name = fc.stringMatching(/^[a-z\u00e4\u4e16]{1,40}$/);
  const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
  const files = fc.uniqueArray(fc.tuple(path, fc.string({ maxLength: 1500 })), {
    maxLength: 8,
    comparator: ([a], [b]) => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`),
  });

  it("gives back what was written, however it is cut", () => {
    fc.assert(
      fc.property(files, fc.array(fc.integer({ min: 1, max: 1300 }), { minLength: 1, maxLength: 5 }), (list, cut) => {
        const archive = Buffer.concat([...writeTar(list.map(([at, body]) => ({ path: at, bytes: Buffer.from(body) })))]);
        expect(readTar(archive, cut)).toEqual(Object.fromEntries(list.map(([at, body]) => [at, Buffer.from(body).toString("utf8")])));
      }),
      { numRuns: 100 },
    );
  });

  it("refuses or reads damaged archives, and nothing else happens", () => {
    const archive = rawTar([pax({ path: "dir/long" }), { name: "x", body: "1" }, { name: "b/", type: "5" }, { name: "b/c", body: "2" }]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Buffer.from(archive);
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          readTar(damaged, [600]);
        } catch (error) {
          expect(error).toBeInstanceOf(PlinthError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
