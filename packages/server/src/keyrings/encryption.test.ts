/** Envelopes, master keys, rotation. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KEYRING_PLACES, KEYRINGS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import { newScope } from "../database/test-database.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { KeyRing, keyIdOf } from "./encryption.ts";
import { openMasterKeys, parseMasterKeys } from "./master-keys.ts";
import { openTestKeyrings, TEST_KEY } from "./test-keyrings.ts";

const runtime = createSystemRuntime();
const place = { tenant: "t", branch: "main", keyring: "kr_1", field: "secret" };
const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)] as const;

describe("envelopes", () => {
  const ring = new KeyRing([keys[0]], runtime);

  it("Y1 N2 open to what was sealed, and differ each time", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => void expect(ring.open(place, ring.seal(place, text))).toBe(text)));
    const nonces = new Set(Array.from({ length: 1000 }, () => ring.seal(place, "x").nonce));
    expect(nonces.size).toBe(1000);
  });

  it("Y1 N1 open nowhere else", () => {
    const sealed = ring.seal(place, "hush");
    for (const change of [{ tenant: "u" }, { branch: "dev" }, { keyring: "kr_2" }, { field: "pending" }, { tenant: 't","main' }])
      expect(() => ring.open({ ...place, ...change }, sealed)).toThrow("cannot be decrypted");
  });

  it("Y1 do not open when a bit of them was changed or a part is missing", () => {
    const sealed = ring.seal(place, "hush");
    const bytes = Buffer.from(sealed.data, "base64");
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => ring.open(place, { ...sealed, data: changed.toString("base64") })).toThrow("cannot be decrypted");
    }
    for (const data of ["", "AAAA", sealed.data.slice(4)])
      expect(() => ring.open(place, { ...sealed, data })).toThrow("cannot be decrypted");
    expect(() => ring.open(place, { ...sealed, nonce: "" })).toThrow("cannot be decrypted");
  });

  it("N3 name the key that is missing, and no bytes", () => {
    const other = new KeyRing([keys[1]], runtime);
    const failure = (() => {
      try {
        return other.open(place, ring.seal(place, "hush"));
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ code: "KeyringKeyMissing", message: expect.stringContaining(keyIdOf(keys[0])) });
    expect(keyIdOf(keys[0])).not.toContain("0101");
  });
});

describe("master keys", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "plinth-keyring-key-"))));
  afterEach(async () => await rm(folder, { recursive: true }));

  const open = (given: string | null = null, file: string | null = null) => openMasterKeys({ given, file, dataDir: folder, runtime });

  it("are made once, readable by this user only", async () => {
    const made = await open();
    expect((await stat(join(folder, "keyring-key"))).mode & 0o777).toBe(0o600);
    expect((await open()).newest).toBe(made.newest);
  });

  it("come in hexadecimal or base64, from a text or a file; the first encrypts", async () => {
    const text = `${keys[0].toString("hex")}, ${keys[1].toString("base64")}\n${keys[2].toString("base64url")}`;
    const ring = await open(text);
    expect(ring.newest).toBe(keyIdOf(keys[0]));
    expect(keys.every((key) => ring.has(keyIdOf(key)))).toBe(true);
    await writeFile(join(folder, "given"), text);
    expect((await open(null, join(folder, "given"))).newest).toBe(ring.newest);
  });

  it.each(["", ",", "abc", "0".repeat(63), "x".repeat(64), `${"A".repeat(43)}=,hush`])(
    "are refused as '%s', without being repeated",
    (text) => {
      expect(() => parseMasterKeys(text, "It")).toThrow(/^(?!.*hush)The configuration is wrong: It must hold/);
    },
  );

  it("are not made anew over a file that is wrong, and a missing given file is an error", async () => {
    await writeFile(join(folder, "keyring-key"), "broken");
    await expect(open()).rejects.toMatchObject({ code: "BadConfiguration" });
    expect(await readFile(join(folder, "keyring-key"), "utf8")).toBe("broken");
    await expect(open(null, join(folder, "absent"))).rejects.toThrow("ENOENT");
    await expect(open("a", "b")).rejects.toThrow("both");
  });
});

describe("rotation", () => {
  it("encrypts all anew while keyrings are made and delivered, goes on after a cut, and lets the old key go", async () => {
    const test = await openTestKeyrings();
    try {
      const scopes = [newScope(), newScope()];
      const make = (keyrings: typeof test.keyrings, at: number) =>
        keyrings.create(scopes[at % 2] ?? newScope(), { name: `k${at}`, type: "devrev-pat", fields: { secret: `secret-${at}` } });
      for (let at = 0; at < 120; at++) await make(test.keyrings, at);
      const newKey = Buffer.alloc(32, 9);
      const both = await test.again([newKey, TEST_KEY]);
      const secretOf = async (keyrings: typeof both, at: number) =>
        (await keyrings.deliver(scopes[at % 2] ?? newScope(), [`k${at}`]))[`k${at}`]?.secret;
      const rotation = both.rotate();
      const meanwhile = Array.from({ length: 40 }, async (_, i) => {
        await make(i % 2 === 0 ? both : test.keyrings, 120 + i);
        return (await secretOf(both, i)) === `secret-${i}`;
      });
      expect(await Promise.all(meanwhile)).not.toContain(false);
      expect((await rotation).keyrings).toBeGreaterThanOrEqual(120);
      // What the old instance wrote behind the rotation is found by the next.
      await both.rotate();
      expect(await both.rotate()).toEqual({ keyrings: 0 });
      const only = await test.again([newKey]);
      for (let at = 0; at < 160; at += 13) expect(await secretOf(only, at)).toBe(`secret-${at}`);
      await expect(test.keyrings.deliver(scopes[0] ?? newScope(), ["k0"])).rejects.toMatchObject({ code: "KeyringKeyMissing" });
    } finally {
      await test.close();
    }
  });

  it("encrypts what it can, and names a key that is gone; forgets places that lead nowhere", async () => {
    const test = await openTestKeyrings();
    try {
      const scope = newScope();
      await test.keyrings.create(scope, { name: "old", type: "devrev-pat", fields: { secret: "a" } });
      const [second, third] = [Buffer.alloc(32, 8), Buffer.alloc(32, 9)];
      const middle = await test.again([second]);
      expect(test.logged.some(({ fields }) => fields["keyId"] === keyIdOf(TEST_KEY))).toBe(true);
      await middle.create(scope, { name: "new", type: "devrev-pat", fields: { secret: "b" } });
      await test.test.database.update(PLATFORM_SCOPE, async ({ records }) => records.put(KEYRING_PLACES, ["gone", "main", "kr_x"], true));
      const last = await test.again([third, second]);
      await expect(last.rotate()).rejects.toMatchObject({ code: "KeyringKeyMissing", message: expect.stringContaining(keyIdOf(TEST_KEY)) });
      const rows = await test.test.database.read(scope, ({ records }) => records.range(KEYRINGS, { prefix: [], limit: 10 }));
      expect(new Set(rows.map(({ value }) => value.secret?.keyId))).toEqual(new Set([keyIdOf(TEST_KEY), keyIdOf(third)]));
      const places = await test.test.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(KEYRING_PLACES, { prefix: [], limit: 10 }),
      );
      expect(places.map(({ key }) => key[0])).not.toContain("gone");
    } finally {
      await test.close();
    }
  });

  it("Y1 leaves no secret in the store in clear", async () => {
    const test = await openTestKeyrings();
    try {
      const scope = newScope();
      await test.keyrings.create(scope, { name: "a", type: "devrev-pat", fields: { secret: "hush-hush-hush" } });
      const commits = await test.test.store.log(0, 1000);
      const bytes = Buffer.concat(commits.flatMap(({ writes }) => writes.map(({ value }) => value ?? Buffer.alloc(0))));
      expect(bytes.includes("devrev-pat")).toBe(true);
      for (const form of ["hush-hush-hush", Buffer.from("hush-hush-hush").toString("base64")]) expect(bytes.includes(form)).toBe(false);
    } finally {
      await test.close();
    }
  });
});
