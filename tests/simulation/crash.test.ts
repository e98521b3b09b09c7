/**
 * Kills the host with SIGKILL at random moments under load and starts it again: every acknowledged mutation is there, none
 * is there twice, what was scheduled happens once, and all indexes agree with the documents.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { CommandFailure } from "../../packages/cli/src/failure.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";
import { chooseSeed, Random, rounds } from "./random.ts";

const ROUNDS = rounds({ ci: 20, long: 200 });
const CLIENTS = 8;
const WANTED = ROUNDS * 10;

test(
  `${ROUNDS} crashes lose nothing and double nothing`,
  async () => {
    const seed = chooseSeed();
    console.log(`seed ${seed}`);
    const random = new Random(seed);
    let host = await startLocalHost();
    await deployFolder(host.connection, join(import.meta.dirname, "..", "functions", "convex"));
    let acknowledged = 0;
    try {
      // A slow machine gets more rounds: what counts is how much is acknowledged before a crash.
      for (let round = 0; round < ROUNDS || (acknowledged <= WANTED && round < 3 * ROUNDS); round += 1) {
        const load = Array.from({ length: CLIENTS }, (_, i) => runClient(host, `${round}-${i}`));
        await new Promise((resolve) => setTimeout(resolve, random.integer(20, 400)));
        const [restarted, ...clients] = await Promise.all([host.crash(), ...load]);
        host = restarted;
        for (const client of clients) {
          await audit(host, client);
          await callFunction(host.connection, "rows:forget", { client: client.name });
          acknowledged += client.acknowledged.size;
        }
      }
    } finally {
      await host.stop();
    }
    console.log(`${acknowledged} acknowledged mutations in ${ROUNDS} rounds`);
    expect(acknowledged).toBeGreaterThan(WANTED);
  },
  ROUNDS * 20_000,
);

interface Client {
  readonly name: string;
  /** Sequence numbers of mutations whose success was answered. */
  readonly acknowledged: Set<number>;
  readonly tried: number;
}

/** Adds rows until the host is gone; every third one through the scheduler. */
async function runClient(host: LocalHost, name: string): Promise<Client> {
  const acknowledged = new Set<number>();
  for (let seq = 0; ; seq += 1) {
    try {
      await callFunction(host.connection, seq % 3 === 2 ? "rows:addLater" : "rows:add", { client: name, seq, text: `${name}/${seq}` });
      acknowledged.add(seq);
    } catch (error) {
      if (error instanceof CommandFailure && error.exitCode === 7) return { name, acknowledged, tried: seq + 1 };
      throw error;
    }
  }
}

interface Audit {
  readonly seqs: readonly number[];
  readonly scanned: readonly number[];
  readonly texts: number;
  readonly count: number;
}

async function audit(host: LocalHost, { name, acknowledged, tried }: Client): Promise<void> {
  let found = await readAudit(host, name);
  // Scheduled rows may still be under way; they have to come soon.
  for (let i = 0; i < 100 && ![...acknowledged].every((seq) => found.seqs.includes(seq)); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = await readAudit(host, name);
  }
  const missing = [...acknowledged].filter((seq) => !found.seqs.includes(seq));
  expect(missing, `acknowledged and lost, client ${name}`).toEqual([]);
  expect(new Set(found.seqs).size, `doubled, client ${name}: ${found.seqs.join()}`).toBe(found.seqs.length);
  expect(found.seqs.every((seq) => seq < tried)).toBe(true);
  expect(found.scanned, "index and documents agree").toEqual(found.seqs);
  expect(found.texts, "the second index agrees").toBe(found.seqs.length);
  expect(found.count, "the counter of the same transactions agrees").toBe(found.seqs.length);
}

async function readAudit(host: LocalHost, client: string): Promise<Audit> {
  return (await callFunction(host.connection, "rows:audit", { client })) as unknown as Audit;
}
