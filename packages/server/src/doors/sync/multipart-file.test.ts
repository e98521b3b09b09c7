import fc from "fast-check";
import { expect, test } from "vitest";
import { multipartFile } from "./multipart-file.ts";

const TYPE = "multipart/form-data; boundary=----b";

async function read(contentType: string | undefined, body: Uint8Array, chunkBytes = 7): Promise<string> {
  const source = (async function* () {
    for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
    await Promise.resolve();
  })();
  const chunks: Uint8Array[] = [];
  for await (const chunk of multipartFile(contentType, source)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

function form(file: Uint8Array, end = "\r\n------b--\r\n"): Buffer {
  const head = '------b\r\nContent-Disposition: form-data; name="key"\r\n\r\nva\r\n--lue\r\n';
  const part = '------b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: a/b\r\n\r\n';
  return Buffer.concat([Buffer.from(head + part), file, Buffer.from(end)]);
}

test("the file comes out as it went in, however the bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 64 }), async (bytes, chunkBytes) => {
      expect(await read(TYPE, form(bytes), chunkBytes)).toBe(Buffer.from(bytes).toString("latin1"));
    }),
  );
});

test("what looks like a boundary is content until it is one", async () => {
  const tricky = "\r\n------\r\n------a--\r\n----b";
  for (let chunkBytes = 1; chunkBytes < 40; chunkBytes++) expect(await read(TYPE, form(Buffer.from(tricky)), chunkBytes)).toBe(tricky);
});

test("a body that is no form is the file; forms that are cut or have no file are refused", async () => {
  expect(await read("application/octet-stream", Buffer.from("as it is"))).toBe("as it is");
  expect(await read(undefined, Buffer.from("as it is"))).toBe("as it is");
  await expect(read("multipart/form-data", form(Buffer.from("x")))).rejects.toMatchObject({ code: "BadRequest" });
  await expect(read(TYPE, form(Buffer.from("x"), ""))).rejects.toMatchObject({ code: "BadRequest" });
  await expect(read(TYPE, Buffer.from("------b--\r\n"))).rejects.toMatchObject({ code: "BadRequest" });
  await expect(read(TYPE, Buffer.from(`------b\r\n${"x".repeat(1024 * 1024)}`), 65_536)).rejects.toMatchObject({ code: "BadRequest" });
});
