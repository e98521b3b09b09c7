/** Filters over more data than one answer of the host holds find every row. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;

beforeAll(async () => {
  host = await startLocalHost();
  await deployFolder(host.connection, join(import.meta.dirname, "functions", "convex"));
});

afterAll(async () => {
  await host.stop();
});

test("rows behind megabytes of others that do not match are found", async () => {
  await callFunction(host.connection, "scans:fill", { rows: 250, mark: "other" });
  await callFunction(host.connection, "scans:fill", { rows: 3, mark: "wanted" });
  await callFunction(host.connection, "scans:fill", { rows: 250, mark: "other" });
  await callFunction(host.connection, "scans:fill", { rows: 2, mark: "wanted" });
  expect(await callFunction(host.connection, "scans:find", { mark: "wanted" })).toEqual([0, 1, 2, 0, 1]);
  expect(await callFunction(host.connection, "scans:find", { mark: "nowhere" })).toEqual([]);
});
