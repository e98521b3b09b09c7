/** What a running host leaves in its data folder for the command line of the same user: where it is, and its key. */
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface HostFile {
  readonly url: string;
  readonly siteUrl: string;
  readonly adminKey: string;
  readonly pid: number;
}

export async function writeHostFile(dataDir: string, file: HostFile): Promise<void> {
  const path = join(dataDir, "host.json");
  const part = `${path}.part`;
  await rm(part, { force: true });
  await writeFile(part, `${JSON.stringify(file)}\n`, { mode: 0o600, flag: "wx" });
  await rename(part, path);
}

export async function removeHostFile(dataDir: string): Promise<void> {
  await rm(join(dataDir, "host.json"), { force: true });
}
