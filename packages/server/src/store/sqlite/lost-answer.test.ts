import { afterEach, beforeEach, expect, test } from "vitest";
import type { Commit } from "../store.ts";
import { put } from "../test-place.ts";
import { CommitPipeline } from "./commit-pipeline.ts";
import { LogReader } from "./log-reader.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import { RecentCommits } from "./recent-commits.ts";
import { TestFolder } from "./test-folder.ts";
import { WriterClient, WriterLost } from "./writer-client.ts";
import type { WriterReply, WriterRequest } from "./writer-protocol.ts";

const MiB = 1024 * 1024;

let folder: TestFolder;
let connection: PinnedConnection;
let writer: WriterClient;
let heard: Commit[];

beforeEach(async () => {
  folder = new TestFolder();
  await (await folder.open()).close();
  connection = new PinnedConnection(folder.databaseFile, { cacheBytes: MiB });
  writer = new WriterClient({
    databaseFile: folder.databaseFile,
    cacheBytes: MiB,
    groupBytesMax: MiB,
    collectKeysMax: 1,
    collectBytesMax: 1,
    databaseBytesMax: 100 * MiB,
  });
  heard = [];
});
afterEach(async () => {
  connection.close();
  await writer.close();
  await folder.remove();
});

/** A pipeline whose requests go through `request`, which can lose them before or after they are done. */
function pipelineThrough(request: (request: WriterRequest) => Promise<WriterReply>): CommitPipeline {
  const log = new LogReader(connection);
  return new CommitPipeline({
    writer: { request },
    recent: new RecentCommits({ floor: 0, bytesMax: MiB }),
    lastTs: 0,
    groupBytesMax: MiB,
    pendingBytesMax: MiB,
    host: {
      nowMs: () => folder.runtime.nowMs(),
      durable: (commit) => heard.push(commit),
      written: () => connection.dropPin(),
      findCommits: (timestamps) => log.find(timestamps),
      keysAfter: (at) => log.keysAfter(at),
    },
  });
}

test("P5 a batch whose answer was lost after it was written is committed", async () => {
  const pipeline = pipelineThrough(async (request) => {
    await writer.request(request);
    throw new WriterLost("the answer was lost");
  });
  const results = await Promise.all([pipeline.commit({ writes: [put("a", "1")] }), pipeline.commit({ writes: [put("b", "1")] })]);
  expect(results.map(({ kind }) => kind)).toEqual(["committed", "committed"]);
  expect(heard).toHaveLength(2);
});

test("P5 a batch that was lost before it was written has failed, and is no conflict for others", async () => {
  let lost = true;
  const pipeline = pipelineThrough(async (request) => {
    if (lost) throw new WriterLost("the request was lost");
    return writer.request(request);
  });
  await expect(pipeline.commit({ writes: [put("a", "1")] })).rejects.toMatchObject({ code: "StoreFailure" });
  lost = false;
  const everything = { start: new Uint8Array(0), end: Uint8Array.of(255) };
  expect(await pipeline.commit({ writes: [put("b", "1")], reads: { at: 0, ranges: [everything] } })).toMatchObject({ kind: "committed" });
  expect(heard).toHaveLength(1);
});
