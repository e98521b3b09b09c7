import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDiskBlobs } from "../blobs/disk/disk-blobs.ts";
import { openTestDatabase } from "../database/test-database.ts";
import { InboundArtefacts } from "./artefacts.ts";

const SCOPE = { tenant: "default", branch: "main" };

it("a file is for the snap-in that it came to, and for applications of the branch", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plinth-artefacts-"));
  const opened = await openTestDatabase();
  const { database, runtime } = opened;
  const blobs = await openDiskBlobs({ folder, runtime });
  try {
    const artefacts = new InboundArtefacts({ blobs, database, runtime, retentionMs: 60_000 });
    const row = await artefacts.put(SCOPE, { snapInId: "snapin_a", name: "a.txt", type: "text/plain", bytes: Buffer.from("a") });
    await database.update(SCOPE, async ({ records }) => await artefacts.keep(records, [row]));
    expect((await artefacts.read(SCOPE, row.id, "snapin_a"))?.bytes.toString()).toBe("a");
    expect((await artefacts.read(SCOPE, row.id))?.row.name).toBe("a.txt");
    expect(await artefacts.read(SCOPE, row.id, "snapin_b")).toBeUndefined();
    expect(await artefacts.read({ ...SCOPE, branch: "other" }, row.id)).toBeUndefined();
  } finally {
    await blobs.close();
    await opened.close();
    await rm(folder, { recursive: true });
  }
});
