import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { configWith, type Config } from "./config.ts";
import { startHost, type Host } from "./host.ts";

const folders: string[] = [];
const hosts: Host[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-host-"));
  folders.push(folder);
  return folder;
}

async function start(changes: Partial<Config>): Promise<Host> {
  const host = await startHost(configWith({ port: 0, httpActionsPort: 0, logLevel: "silent", warmRunners: 0, ...changes }));
  hosts.push(host);
  return host;
}

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("a host", () => {
  it("tells the command line where it is, for its owner's eyes only, and takes it back", async () => {
    const dataDir = newFolder();
    const host = await start({ dataDir });
    const file = join(dataDir, "host.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      url: host.url,
      siteUrl: host.siteUrl,
      adminKey: host.adminKey,
      pid: process.pid,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await host.stop();
    expect(existsSync(file)).toBe(false);
  });

  it("keeps its key over restarts", async () => {
    const dataDir = newFolder();
    const first = await start({ dataDir });
    await first.stop();
    expect((await start({ dataDir })).adminKey).toBe(first.adminKey);
  });

  it("uses the public URLs that it is given", async () => {
    const host = await start({ dataDir: newFolder(), publicUrl: "https://api.example/", publicSiteUrl: "https://site.example" });
    expect([host.url, host.siteUrl]).toEqual(["https://api.example", "https://site.example"]);
  });

  it("H1: refuses a port that is taken, and leaves nothing locked", async () => {
    const dataDir = newFolder();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(start({ dataDir, port })).rejects.toMatchObject({ code: "PortTaken", message: `Port ${port} on 127.0.0.1 is taken.` });
    await expect(start({ dataDir, httpActionsPort: port })).rejects.toMatchObject({ code: "PortTaken" });
    other.close();
    await start({ dataDir });
  });

  it("refuses a data folder that another host uses", async () => {
    const dataDir = newFolder();
    await start({ dataDir });
    await expect(start({ dataDir })).rejects.toMatchObject({ code: "DataFolderLocked" });
  });

  it("refuses a data folder that is none", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    await expect(start({ dataDir: file })).rejects.toMatchObject({ code: "DataFolderUnusable" });
    await expect(start({ dataDir: join(file, "below") })).rejects.toMatchObject({ code: "DataFolderUnusable" });
  });

  it("refuses an address that the machine does not have", async () => {
    await expect(start({ dataDir: newFolder(), address: "192.0.2.1" })).rejects.toMatchObject({ code: "BadConfiguration" });
  });

  it("stops once, whoever asks", async () => {
    const host = await start({ dataDir: newFolder() });
    await Promise.all([host.stop(), host.stop()]);
    await expect(fetch(`${host.url}/healthz`)).rejects.toThrow();
  });
});
