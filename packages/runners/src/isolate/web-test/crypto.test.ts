import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { performSubtle, random } from "../local-ops/crypto.ts";
import { sameAsNode } from "./same-as-node.ts";
import { WebContext } from "./web-context.ts";

let context: WebContext;
beforeAll(async () => {
  context = await WebContext.make();
});
afterAll(() => context.dispose());

const TOOLS = `
  const { subtle } = crypto; const text = (value) => new TextEncoder().encode(value); const list = (buffer) => [...new Uint8Array(buffer)];
  const failure = (work) => work.then(() => "ok", (error) => error.name); const key = (bytes, algorithm, usages, extractable = true) => subtle.importKey("raw", text(bytes), algorithm, extractable, usages);
  const shown = (key) => [key.type, key.extractable, JSON.parse(JSON.stringify(key.algorithm, (name, value) => (value instanceof Uint8Array ? list(value) : value))), key.usages.toSorted(), Object.prototype.toString.call(key)];
`;

test("random numbers", async () => {
  const result = await context.run(`
    const bytes = crypto.getRandomValues(new Uint8Array(64)); const view = crypto.getRandomValues(new Uint32Array(8).subarray(2, 4)); const failure = (work) => { try { work(); return "ok"; } catch (error) { return error.name; } };
    return [new Set(bytes).size > 16, view.length, crypto.randomUUID(), crypto.randomUUID() === crypto.randomUUID(), failure(() => crypto.getRandomValues(new Float32Array(1))), failure(() => crypto.getRandomValues([1])), failure(() => crypto.getRandomValues(new Uint8Array(65537))), failure(() => new Crypto()), crypto.getRandomValues(new Uint8Array(65536)).length, new BigInt64Array(1).buffer === crypto.getRandomValues(new BigInt64Array(1)).buffer];`);
  expect(result).toEqual([
    true,
    2,
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    false,
    "TypeMismatchError",
    "TypeMismatchError",
    "QuotaExceededError",
    "TypeError",
    65_536,
    false,
  ]);
});

describe("crypto.subtle agrees with Node's", () => {
  test("digest", () =>
    sameAsNode(
      context,
      `${TOOLS} return [await Promise.all(["SHA-1", "sha-256", { name: "SHA-384" }, "SHA-512"].map(async (name) => list(await subtle.digest(name, text("abc"))))), list(await subtle.digest("SHA-256", new ArrayBuffer(0))), await failure(subtle.digest("MD5", text("a"))), await failure(subtle.digest("SHA-256", "text")), list(await subtle.digest("SHA-256", new DataView(new Uint8Array([1, 2, 3]).buffer, 1)))];`,
    ));

  test("HMAC and AES", () =>
    sameAsNode(
      context,
      `${TOOLS}
      const hmac = await key("secret", { name: "HMAC", hash: { name: "SHA-256" } }, ["sign", "verify"]); const signature = await subtle.sign("HMAC", hmac, text("data")); const iv = new Uint8Array(12); const counter = new Uint8Array(16);
      const gcm = await key("0123456789abcdef", "AES-GCM", ["encrypt", "decrypt"], false); const cbc = await key("0123456789abcdef", "AES-CBC", ["encrypt"]); const ctr = await key("0123456789abcdef", "AES-CTR", ["encrypt"]);
      const sealed = await subtle.encrypt({ name: "AES-GCM", iv, additionalData: text("aad"), tagLength: 128 }, gcm, text("plain"));
      return [shown(hmac), list(signature), await subtle.verify("HMAC", hmac, signature, text("data")), await subtle.verify("HMAC", hmac, signature, text("other")), shown(gcm), list(sealed), list(await subtle.decrypt({ name: "AES-GCM", iv, additionalData: text("aad") }, gcm, sealed)), await failure(subtle.decrypt({ name: "AES-GCM", iv }, gcm, sealed)), list(await subtle.encrypt({ name: "AES-CBC", iv: counter }, cbc, text("x"))), list(await subtle.encrypt({ name: "AES-CTR", counter, length: 64 }, ctr, text("x"))),
        await failure(subtle.exportKey("raw", gcm)), await failure(subtle.decrypt({ name: "AES-CBC", iv: counter }, cbc, sealed)), await failure(key("short", "AES-GCM", ["encrypt"])), await failure(key("0123456789abcdef", "AES-GCM", [])), await failure(key("0123456789abcdef", "AES-GCM", ["fly"])), list(await subtle.exportKey("raw", hmac)), await subtle.exportKey("jwk", hmac), await failure(subtle.sign("HMAC", {}, text("x"))), await failure(subtle.exportKey("nope", hmac))];`,
    ));

  test("derivation", () =>
    sameAsNode(
      context,
      `${TOOLS}
      const password = await key("password", "PBKDF2", ["deriveBits", "deriveKey"], false); const secret = await key("secret", "HKDF", ["deriveBits", "deriveKey"], false); const pbkdf2 = { name: "PBKDF2", salt: text("salt"), iterations: 1000, hash: "SHA-256" }; const hkdf = { name: "HKDF", salt: text("s"), info: text("i"), hash: "SHA-512" };
      const derived = await subtle.deriveKey(pbkdf2, password, { name: "AES-GCM", length: 256 }, true, ["encrypt"]); const hmac = await subtle.deriveKey(hkdf, secret, { name: "HMAC", hash: "SHA-256", length: 256 }, true, ["sign"]);
      return [shown(password), list(await subtle.deriveBits(pbkdf2, password, 256)), shown(derived), list(await subtle.exportKey("raw", derived)), list(await subtle.deriveBits(hkdf, secret, 128)), shown(hmac), list(await subtle.exportKey("raw", hmac)), await failure(subtle.exportKey("raw", password))];`,
    ));

  test("keys of both kinds, imported from JWK and used", () =>
    sameAsNode(
      context,
      `${TOOLS}
      const jwk = { kty: "EC", crv: "P-256", x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", d: "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE" }; const { d, ...publicJwk } = jwk;
      const ecdsa = { name: "ECDSA", namedCurve: "P-256" }; const own = await subtle.importKey("jwk", jwk, ecdsa, true, ["sign"]); const open = await subtle.importKey("jwk", publicJwk, ecdsa, true, ["verify"]); const hash = { name: "ECDSA", hash: "SHA-256" };
      const signature = await subtle.sign(hash, own, text("m")); const ecdh = { name: "ECDH", namedCurve: "P-256" }; const mine = await subtle.importKey("jwk", jwk, ecdh, false, ["deriveBits"]); const theirs = await subtle.importKey("jwk", publicJwk, ecdh, true, []);
      const ed = await subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }, "Ed25519", true, ["sign"]);
      return [shown(own), shown(open), signature.byteLength, await subtle.verify(hash, open, signature, text("m")), await subtle.verify(hash, open, signature, text("n")), await subtle.exportKey("jwk", own), await subtle.exportKey("jwk", open), list(await subtle.exportKey("spki", open)), list(await subtle.exportKey("raw", open)), list(await subtle.deriveBits({ name: "ECDH", public: theirs }, mine, 256)), list(await subtle.deriveBits({ name: "ECDH", public: theirs }, mine, null)), shown(ed), list(await subtle.sign("Ed25519", ed, text("m"))), await failure(subtle.importKey("jwk", { kty: "oct" }, ecdsa, true, ["sign"])), await failure(subtle.verify(hash, own, signature, text("m")))];`,
    ));

  test("generated keys, wrapping and RSA", () =>
    sameAsNode(
      context,
      `${TOOLS}
      const pair = await subtle.generateKey({ name: "RSA-OAEP", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, false, ["encrypt", "decrypt", "wrapKey", "unwrapKey"]); const aes = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
      const opened = await subtle.decrypt("RSA-OAEP", pair.privateKey, await subtle.encrypt({ name: "RSA-OAEP", label: new Uint8Array() }, pair.publicKey, text("hi"))); const wrapped = await subtle.wrapKey("raw", aes, pair.publicKey, { name: "RSA-OAEP" });
      const unwrapped = await subtle.unwrapKey("raw", wrapped, pair.privateKey, "RSA-OAEP", "AES-GCM", false, ["decrypt"]); const kw = await subtle.generateKey({ name: "AES-KW", length: 128 }, false, ["wrapKey", "unwrapKey"]); const again = await subtle.unwrapKey("raw", await subtle.wrapKey("raw", aes, kw, "AES-KW"), kw, "AES-KW", "AES-GCM", true, ["encrypt"]);
      const ec = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, ["sign", "verify"]); const copy = await subtle.importKey("pkcs8", await subtle.exportKey("pkcs8", ec.privateKey), { name: "ECDSA", namedCurve: "P-384" }, false, ["sign"]);
      const pss = await subtle.generateKey({ name: "RSA-PSS", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign", "verify"]); const signature = await subtle.sign({ name: "RSA-PSS", saltLength: 32 }, pss.privateKey, text("m"));
      const same = async (a, b) => String(list(await subtle.exportKey("raw", a))) === String(list(await subtle.exportKey("raw", b)));
      return [shown(pair.publicKey), shown(pair.privateKey), list(opened), shown(unwrapped), await same(aes, again), shown(aes), shown(copy), await subtle.verify({ name: "ECDSA", hash: "SHA-384" }, ec.publicKey, await subtle.sign({ name: "ECDSA", hash: "SHA-384" }, copy, text("m")), text("m")), await subtle.verify({ name: "RSA-PSS", saltLength: 32 }, pss.publicKey, signature, text("m")), await failure(subtle.wrapKey("raw", unwrapped, pair.publicKey, "RSA-OAEP")), await failure(subtle.generateKey({ name: "AES-GCM", length: 1 }, true, ["encrypt"])), await failure(subtle.exportKey("pkcs8", pair.privateKey))];`,
    ));
});

describe("the runner's side takes nothing on trust", () => {
  test.each([
    "",
    "null",
    "[]",
    "{}",
    '{"method":"digest"}',
    '{"method":"sign","algorithm":{},"key":{},"data":""}',
    '{"method":"__proto__"}',
    '{"method":"digest","algorithm":{"name":{"key":{"type":"secret","algorithm":{"x":{}},"usages":[],"data":""}}},"data":""}',
    '{"method":"exportKey","format":"x","key":{"type":"secret","algorithm":{},"usages":[],"data":""}}',
  ])("%s", async (text) => {
    expect(JSON.parse(await performSubtle(text))).toMatchObject({ kind: "error" });
  });

  test("costs are limited", async () => {
    const failing = async (code: string): Promise<unknown> =>
      context.run(`try { await (async () => ${code})(); return "ok"; } catch (error) { return error.message; }`);
    expect(
      await failing(
        `crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(1), iterations: 1e9 }, await crypto.subtle.importKey("raw", new Uint8Array(1), "PBKDF2", false, ["deriveBits"]), 256)`,
      ),
    ).toBe("iterations may be at most 10000000");
    expect(
      await failing(
        `crypto.subtle.generateKey({ name: "RSA-PSS", modulusLength: 65536, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign"])`,
      ),
    ).toBe("modulusLength may be at most 8192");
    for (const length of ["-1", "65537", "1.5", "x", "1e9"]) expect(() => random(length)).toThrow("not valid");
  });
});
