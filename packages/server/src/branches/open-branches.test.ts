/** Branches over a real store, without a host: what a crash leaves, what a copy begins with, and the bounds. */
import { limit } from "@plinth/core/limits.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import {
  BRANCHES,
  DUE_TIMES,
  ENVIRONMENT,
  PACKAGE_HEADS,
  PACKAGE_LEDGER,
  PACKAGE_VERSIONS,
  PLATFORM_SCOPE,
  SCHEDULED_JOBS,
} from "../database/record-tables.ts";
import { createLog } from "../telemetry/log.ts";
import { openBranches, type OpenedBranches } from "./open-branches.ts";

const MAIN = { tenant: "default", branch: "main" };
const DEV = { tenant: "default", branch: "dev" };
const DIGEST = "a".repeat(64);
const OLD_DIGEST = "b".repeat(64);

let opened: TestDatabase;
let branches: OpenedBranches;

function open(): OpenedBranches {
  return openBranches({ database: opened.database, runtime: opened.runtime, log: createLog({ level: "silent" }) });
}

beforeEach(async () => {
  opened = await openTestDatabase();
  branches = open();
});

afterEach(async () => {
  await branches.settled();
  await opened.close();
});

async function environmentOf(scope: typeof MAIN): Promise<readonly string[]> {
  const rows = await opened.database.read(scope, ({ records }) => records.range(ENVIRONMENT, { prefix: [], limit: 10 }));
  return rows.map((row) => row.value);
}

it("R1: a key opens its own branch only, and none that is unknown; main needs none", async () => {
  const { key } = await branches.create("default", { name: "dev" });
  const { key: other } = await branches.create("default", { name: "other" });
  const { key: foreign } = await branches.create("acme", { name: "dev" });
  expect(await branches.opens(DEV, key)).toBe(true);
  for (const wrong of [undefined, "", other, foreign, `${key}x`, key.toUpperCase()]) expect(await branches.opens(DEV, wrong)).toBe(false);
  expect(await branches.opens({ ...DEV, branch: "unknown" }, key)).toBe(false);
  expect(await branches.opens(MAIN, undefined)).toBe(true);
});

it("R2: stores no key, only its digest", async () => {
  const { key } = await branches.create("default", { name: "dev" });
  const row = await opened.database.read(PLATFORM_SCOPE, ({ records }) => records.get(BRANCHES, ["default", "dev"]));
  expect(JSON.stringify(row)).not.toContain(key.slice(-20));
  const { key: renewed } = await branches.rotateKey("default", "dev");
  expect(await branches.opens(DEV, key)).toBe(false);
  expect(await branches.opens(DEV, renewed)).toBe(true);
});

it("erases at the next start what a crash left half made or half deleted, and frees the names", async () => {
  const left = { createdMs: 1, base: null, sha256: DIGEST };
  for (const [name, state] of [
    ["half", "made"],
    ["gone", "deleted"],
  ] as const) {
    await opened.database.update({ tenant: "default", branch: name }, async ({ records }) => {
      records.put(BRANCHES, ["default", name], { ...left, name, state });
      records.put(ENVIRONMENT, ["A"], "left");
      records.put(DUE_TIMES, ["default", name, 1, "function", "x"], true);
    });
  }
  await expect(branches.create("default", { name: "gone" })).rejects.toMatchObject({ code: "AlreadyExists" });
  expect(await branches.list("default")).toEqual([]);
  const ended: string[] = [];
  branches.onEnded(async ({ branch }) => void ended.push(branch));
  branches.start();
  await branches.settled();
  // Each before its data go, and again after.
  expect(ended.sort()).toEqual(["gone", "gone", "half", "half"]);
  for (const name of ["half", "gone"]) {
    expect(await environmentOf({ tenant: "default", branch: name })).toEqual([]);
    await branches.create("default", { name });
  }
  expect(await opened.database.read(PLATFORM_SCOPE, ({ records }) => records.range(DUE_TIMES, { prefix: [], limit: 10 }))).toEqual([]);
});

it("copies heads of packages with their versions, not what was before, what is scheduled or what is secret", async () => {
  const version = {
    createdMs: 1,
    runtime: "node" as const,
    root: "",
    functions: ["f"],
    manifestBlob: DIGEST,
    filesBlob: DIGEST,
    archiveBytes: 1,
    files: 1,
  };
  const move = { parent: null, atMs: 1, by: "admin", note: null, cause: "upload" as const };
  await opened.database.update(MAIN, async ({ records }) => {
    records.put(PACKAGE_HEADS, ["crm"], { version: DIGEST, seq: 2, deployedMs: 1, runtime: "node" });
    for (const [index, digest] of [OLD_DIGEST, DIGEST].entries()) {
      records.put(PACKAGE_VERSIONS, ["crm", digest], { ...version, digest });
      records.put(PACKAGE_LEDGER, ["crm", index + 1], { ...move, seq: index + 1, version: digest });
    }
    records.put(ENVIRONMENT, ["SECRET"], "of main");
    records.put(SCHEDULED_JOBS, ["x"], { path: "a:b", kind: "mutation", dueMs: 1, state: "pending", conflicts: 0, failures: 0 });
  });
  await branches.create("default", { name: "dev", from: "main" });
  await opened.database.read(DEV, async ({ records }) => {
    expect(await records.get(PACKAGE_HEADS, ["crm"])).toMatchObject({ version: DIGEST, seq: 2 });
    expect(await records.range(PACKAGE_VERSIONS, { prefix: [], limit: 10 })).toMatchObject([{ key: ["crm", DIGEST] }]);
    expect(await records.range(PACKAGE_LEDGER, { prefix: [], limit: 10 })).toMatchObject([{ key: ["crm", 2] }]);
    expect(await records.range(SCHEDULED_JOBS, { prefix: [], limit: 10 })).toEqual([]);
  });
  expect(await environmentOf(DEV)).toEqual([]);
  await branches.create("default", { name: "full", from: "main", copyEnvironment: true });
  expect(await environmentOf({ tenant: "default", branch: "full" })).toEqual(["of main"]);
});

it("copies heads as of the moment", async () => {
  const put = async (value: string) => await opened.database.update(MAIN, async ({ records }) => records.put(ENVIRONMENT, ["A"], value));
  await put("before");
  const at = opened.database.latest();
  await put("after");
  await branches.create("default", { name: "dev", from: "main", at, copyEnvironment: true });
  expect(await environmentOf(DEV)).toEqual(["before"]);
  expect(await branches.get("default", "dev")).toMatchObject({ base: { branch: "main", at } });
});

it("ends what works in a branch before its data goes, and answers as if it had never been", async () => {
  const { key } = await branches.create("default", { name: "dev" });
  await opened.database.update(DEV, async ({ records }) => records.put(ENVIRONMENT, ["A"], "x"));
  let seen: readonly unknown[] | undefined;
  branches.onEnded(async (scope) => {
    seen ??= [await branches.opens(scope, key), await branches.isServed(scope), await environmentOf(scope)];
  });
  await branches.delete("default", "dev");
  expect(seen).toEqual([false, false, ["x"]]);
  await branches.settled();
  expect(await environmentOf(DEV)).toEqual([]);
  await expect(branches.delete("default", "dev")).rejects.toMatchObject({ code: "NotFound" });
  await expect(branches.rotateKey("default", "dev")).rejects.toMatchObject({ code: "NotFound" });
});

it("begins clean, whatever was written under its name after the erasure of another one", async () => {
  await branches.create("default", { name: "dev" });
  await branches.delete("default", "dev");
  await branches.settled();
  await opened.database.update(DEV, async ({ records }) => records.put(ENVIRONMENT, ["A"], "late"));
  await branches.create("default", { name: "dev", from: "main" });
  expect(await environmentOf(DEV)).toEqual([]);
});

it("has a bounded number for each tenant", async () => {
  const max = limit("branchesPerTenantMax");
  await opened.database.update(PLATFORM_SCOPE, async ({ records }) => {
    for (let i = 0; i < max; i++)
      records.put(BRANCHES, ["default", `b${i}`], { name: `b${i}`, state: "open", createdMs: 1, base: null, sha256: DIGEST });
  });
  await expect(branches.create("default", { name: "one-more" })).rejects.toMatchObject({ code: "RequestTooLarge" });
  await branches.create("acme", { name: "one-more" });
});
