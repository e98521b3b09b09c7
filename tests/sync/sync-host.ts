/** A host with the test package installed, and short ways to its sync API. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { startTestHost, textAt, type Answer, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";
import type { Config } from "../../packages/server/src/config.ts";
import { SYNC_PACKAGE } from "./test-package.ts";

export interface SyncHost extends TestHost {
  readonly snapIn: string;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Packages call the host's own address back, which is not a public one here. */
export async function startSyncHost(changes: Partial<Config> = {}): Promise<SyncHost> {
  const host = await startTestHost(changes);
  must(await host.send("/v1/packages/syncer/versions", { body: archiveOf(SYNC_PACKAGE), headers: { "content-type": "application/gzip" } }));
  const snapIn = textAt(must(await host.send("/v1/snap-ins", { body: { package: "syncer" } })), "id");
  must(await host.send("/v1/keyrings", { body: { name: "remote", type: "snap_in_secret", fields: { secret: "s3cret-of-remote" } } }));
  must(await host.send(`/v1/snap-ins/${snapIn}/activate`, { body: {} }));
  return { ...host, snapIn };
}

export async function createUnit(host: SyncHost, external?: string): Promise<string> {
  const body = {
    snapIn: host.snapIn,
    import: "things",
    keyring: "remote",
    ...(external === undefined ? {} : { external: { id: external } }),
  };
  return textAt(must(await host.send("/v1/sync/units", { body })), "id");
}

export async function startRun(host: SyncHost, unit: string, body: Readonly<Record<string, unknown>>): Promise<string> {
  return textAt(must(await host.send(`/v1/sync/units/${unit}/runs`, { body })), "id");
}

/** The run when it has ended or waits for a choice. */
export async function settled(host: SyncHost, run: string): Promise<Answer> {
  for (;;) {
    const answer = must(await host.send(`/v1/sync/runs/${run}?wait=true`));
    if (!["calling", "paused"].includes(textAt(answer, "status"))) return answer;
  }
}

export async function plan(host: SyncHost, text: string): Promise<void> {
  must(await host.send(`/v1/snap-ins/${host.snapIn}/configure`, { body: { inputs: { plan: text } } }));
}

export function must(answer: Answer): Answer {
  if (answer.status >= 300) throw new Error(`the host answered ${answer.status}: ${answer.text.slice(0, 600)}`);
  return answer;
}
