import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { limit } from "@plinth/core/limits.ts";
import { expect, test } from "vitest";
import { artefactLines } from "./artefact-lines.ts";

const MiB = 1024 * 1024;

async function read(bytes: Uint8Array, left = MiB, chunkBytes = 5): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(Buffer.from(bytes.subarray(at, at + chunkBytes)));
  const lines: string[] = [];
  for await (const line of artefactLines(Readable.from(chunks), { left })) lines.push(line);
  return lines;
}

test("lines are read packed and unpacked, with and without an end", async () => {
  const text = "one\n\nzwöl\nlast";
  expect(await read(Buffer.from(text))).toEqual(["one", "zwöl", "last"]);
  expect(await read(gzipSync(text))).toEqual(["one", "zwöl", "last"]);
  expect(await read(Buffer.alloc(0))).toEqual([]);
});

test("bombs, broken files and endless lines are refused", async () => {
  await expect(read(gzipSync(Buffer.alloc(64 * MiB, "a\n")), 2 * MiB, 65_536)).rejects.toMatchObject({ code: "RequestTooLarge" });
  await expect(read(gzipSync("x".repeat(1000)).subarray(0, -9))).rejects.toMatchObject({ code: "BadRequest" });
  await expect(read(Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7]))).rejects.toMatchObject({ code: "BadRequest" });
  await expect(read(Buffer.alloc(limit("syncItemBytesMax") + 2, "a"), 64 * MiB, 65_536)).rejects.toMatchObject({ code: "RequestTooLarge" });
});

test("a reader that stops early leaves nothing running", async () => {
  const body = Readable.from([gzipSync("a\n".repeat(100_000))]);
  for await (const line of artefactLines(body, { left: MiB })) {
    expect(line).toBe("a");
    break;
  }
  expect(body.destroyed).toBe(true);
});
