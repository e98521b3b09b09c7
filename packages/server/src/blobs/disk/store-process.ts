/**
 * For tests that kill a host: puts blobs into the folder of its first argument until it is killed, eight at a time, and
 * says the digest of each only after it was put.
 */
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { openDiskBlobs } from "./disk-blobs.ts";

const [, , folder = ""] = process.argv;
const blobs = await openDiskBlobs({ folder, runtime: createSystemRuntime() });
process.stdout.write("open\n");
await Promise.all(
  Array.from({ length: 8 }, async (_, writer) => {
    for (let i = 0; ; i++) {
      const { digest } = await blobs.put("a", pieces(`${writer} ${i}\n`), { bytesMax: 1024 * 1024 });
      process.stdout.write(`${digest}\n`);
    }
  }),
);

async function* pieces(text: string): AsyncIterable<Uint8Array> {
  for (let piece = 0; piece < 20; piece++) yield Buffer.from(text.repeat(200));
}
