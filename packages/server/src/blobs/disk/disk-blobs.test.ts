import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blobsContract } from "../blobs-contract.ts";
import { INCOMING } from "./blob-files.ts";
import { makeDiskPlace } from "./test-folder.ts";

blobsContract("blobs on disk", makeDiskPlace);

test("B1 B2 after kill -9 every blob that was put is there and whole, and nothing else is", async () => {
  const place = await makeDiskPlace();
  const put: string[] = [];
  let interrupted = 0;
  try {
    for (let round = 0; round < 3; round++) {
      const script = fileURLToPath(new URL("./store-process.ts", import.meta.url));
      const child = spawn(process.execPath, [script, place.folder], { stdio: ["ignore", "pipe", "inherit"] });
      const lines: string[] = [];
      const reader = createInterface({ input: child.stdout });
      reader.on("line", (line) => lines.push(line));
      while (lines.length < 10 + round * 20) await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      child.kill("SIGKILL");
      await Promise.all([once(child, "exit"), once(reader, "close")]);
      put.push(...lines.slice(1));
      interrupted += (await readdir(join(place.folder, INCOMING))).length;

      const blobs = await place.open();
      for (const digest of put) expect(await blobs.read("a", digest), digest).toBeDefined();
      for await (const { digest } of blobs.list("a")) expect(await blobs.read("a", digest), digest).toBeDefined();
      expect(await readdir(join(place.folder, INCOMING))).toEqual([]);
      await blobs.close();
    }
    expect(interrupted).toBeGreaterThan(0);
  } finally {
    await place.remove();
  }
});
