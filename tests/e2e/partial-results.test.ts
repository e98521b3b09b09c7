/** Streams an invocation as a client does: log lines, partial results and the end, in order. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send } from "../../packages/cli/src/client.ts";
import { readEvents } from "../../packages/cli/src/event-stream.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;

beforeAll(async () => {
  host = await startLocalHost();
  await deployFolder(host.connection, join(import.meta.dirname, "functions", "convex"));
});

afterAll(async () => {
  await host.stop();
});

async function streamed(path: string, body: { readonly args: { readonly from: number } }) {
  const response = await send(host.connection, path, { body, accept: "text/event-stream" });
  const events: { event: string; data: { readonly [name: string]: unknown } }[] = [];
  for await (const { event, data } of readEvents(response)) events.push({ event, data: JSON.parse(data) });
  return events;
}

test("log lines, partial results and the final one come in order", async () => {
  const events = await streamed("/v1/functions/streams:countDown/execute", { args: { from: 3 } });
  expect(events.filter(({ event }) => event === "partial").map(({ data }) => data["value"])).toEqual([{ n: 3 }, { n: 2 }, { n: 1 }]);
  expect(events.filter(({ event }) => event === "log")).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "succeeded", value: "lift-off" } });
  expect(events.findIndex(({ event }) => event === "log")).toBeLessThan(events.findIndex(({ event }) => event === "partial"));
});

test("queries have no partial results", async () => {
  await expect(callFunction(host.connection, "streams:emitInQuery", {})).rejects.toThrow(/emit/);
});
