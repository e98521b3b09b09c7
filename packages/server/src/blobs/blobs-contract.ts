/** What every adapter of `Blobs` must do; its test calls `blobsContract`. */
import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Blobs } from "./blobs.ts";

export interface BlobsPlace {
  open(): Promise<Blobs>;
  /** Changes a stored byte behind the adapter's back. */
  damage(tenant: string, digest: string): Promise<void>;
  /** Everything that is stored anywhere, by any name. */
  leftovers(): Promise<readonly string[]>;
  /** Opens what `backup` wrote. */
  openBackup(path: string): Promise<Blobs>;
  /** A path where nothing is, for a backup. */
  readonly backupPath: string;
  remove(): Promise<void>;
}

const bytesMax = 1024 * 1024;
const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

async function* chunks(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function digests(blobs: Blobs, tenant: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { digest } of blobs.list(tenant)) found.push(digest);
  return found;
}

export function blobsContract(name: string, makePlace: () => Promise<BlobsPlace>): void {
  describe(name, () => {
    let place: BlobsPlace;
    let blobs: Blobs;
    beforeEach(async () => {
      place = await makePlace();
      blobs = await place.open();
    });
    afterEach(async () => {
      await blobs.close();
      await place.remove();
    });

    it("B1 gives back what was put, also after it was opened again", async () => {
      const info = await blobs.put("a", chunks("one ", "two"), { bytesMax });
      expect(info).toMatchObject({ digest: digestOf("one two"), bytes: 7 });
      await blobs.close();
      blobs = await place.open();
      expect((await blobs.read("a", info.digest))?.toString()).toBe("one two");
      const stream = await blobs.open("a", info.digest);
      expect(stream === undefined ? "" : (await buffer(stream)).toString()).toBe("one two");
      expect(await blobs.info("a", info.digest)).toMatchObject({ bytes: 7 });
    });

    it("keeps a blob without bytes", async () => {
      const { digest } = await blobs.put("a", chunks(), { bytesMax });
      expect(await blobs.read("a", digest)).toHaveLength(0);
    });

    it("B2 leaves nothing of a source that fails or is too large", async () => {
      const failing = (async function* () {
        yield Buffer.from("half");
        throw new Error("gone");
      })();
      await expect(blobs.put("a", failing, { bytesMax })).rejects.toThrow("gone");
      await expect(blobs.put("a", chunks("12345", "67890"), { bytesMax: 9 })).rejects.toMatchObject({ code: "LimitExceeded" });
      expect(await place.leftovers()).toEqual([]);
      expect((await blobs.put("a", chunks("123456789"), { bytesMax: 9 })).bytes).toBe(9);
    });

    it("B3 refuses bytes that were changed, and heals when they are put again", async () => {
      const { digest } = await blobs.put("a", chunks("right"), { bytesMax });
      await place.damage("a", digest);
      await expect(blobs.read("a", digest)).rejects.toMatchObject({ code: "StoreFailure" });
      const stream = await blobs.open("a", digest);
      await expect(stream === undefined ? undefined : buffer(stream)).rejects.toMatchObject({ code: "StoreFailure" });
      await blobs.put("a", chunks("right"), { bytesMax });
      expect((await blobs.read("a", digest))?.toString()).toBe("right");
    });

    it.each(["../a", "a/b", "..", "A", "a.b", "é", "$platform", "=61"])("B4 keeps the tenant %j apart", async (tenant) => {
      const { digest } = await blobs.put("a", chunks("secret"), { bytesMax });
      expect(await blobs.read(tenant, digest)).toBeUndefined();
      expect(await blobs.info(tenant, digest)).toBeUndefined();
      await blobs.delete(tenant, digest);
      await blobs.put(tenant, chunks("own"), { bytesMax });
      expect(await digests(blobs, tenant)).toEqual([digestOf("own")]);
      expect([...(await blobs.tenants())].sort()).toEqual(["a", tenant].sort());
      await blobs.eraseTenant(tenant);
      expect(await digests(blobs, "a")).toEqual([digest]);
      expect(await digests(blobs, tenant)).toEqual([]);
    });

    it.each(["", "..", "../x", "a".repeat(63), "A".repeat(64), `${"a".repeat(64)}/`])("B4 knows no blob %j", async (digest) => {
      expect(await blobs.open("a", digest)).toBeUndefined();
      expect(await blobs.read("a", digest)).toBeUndefined();
      expect(await blobs.info("a", digest)).toBeUndefined();
      await blobs.delete("a", digest);
    });

    it("deletes what was last put before a moment, and nothing younger", async () => {
      const { digest, putMs } = await blobs.put("a", chunks("x"), { bytesMax });
      await blobs.delete("a", digest, { putBeforeMs: putMs });
      expect(await digests(blobs, "a")).toEqual([digest]);
      await blobs.delete("a", digest, { putBeforeMs: putMs + 1 });
      await blobs.delete("a", digest);
      expect(await digests(blobs, "a")).toEqual([]);
      expect(await blobs.open("a", digest)).toBeUndefined();
    });

    it("stores the same bytes from several at once", async () => {
      const puts = Array.from({ length: 8 }, () => blobs.put("a", chunks("same"), { bytesMax }));
      expect(new Set((await Promise.all(puts)).map((info) => info.digest)).size).toBe(1);
      expect(await digests(blobs, "a")).toEqual([digestOf("same")]);
    });

    it("copies what there is at the moment, whatever is deleted and put meanwhile", async () => {
      const { digest } = await blobs.put("a", chunks("kept"), { bytesMax });
      let deleting: Promise<void> | undefined;
      await blobs.backup(place.backupPath, async () => {
        deleting = blobs.delete("a", digest);
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      await deleting;
      await blobs.put("a", chunks("later"), { bytesMax });
      expect(await blobs.read("a", digest)).toBeUndefined();
      const copy = await place.openBackup(place.backupPath);
      expect((await copy.read("a", digest))?.toString()).toBe("kept");
      expect(await digests(copy, "a")).toEqual([digest]);
      await copy.close();
      await expect(blobs.backup(place.backupPath)).rejects.toMatchObject({ code: "StoreFailure" });
    });
  });
}
