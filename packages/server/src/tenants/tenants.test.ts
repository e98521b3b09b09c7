import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../database/database.ts";
import { openDatabase } from "../database/open-database.ts";
import { KEYRING_PLACES, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { openAdminKey } from "./admin-key.ts";
import { Keys } from "./keys.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { TenantEraser } from "./tenant-eraser.ts";
import { Tenants } from "./tenants.ts";

const folder = mkdtempSync(join(tmpdir(), "plinth-tenants-"));
let nowMs = Date.now();
const runtime: Runtime = { ...createSystemRuntime(), nowMs: () => nowMs };
let store: Store;
let database: Database;

beforeAll(async () => {
  store = await openSqliteStore({ dataDir: folder, runtime });
  database = await openDatabase({ store, runtime });
});

afterAll(async () => {
  await database.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

describe("keys", () => {
  it("are told once and stored as digests only", async () => {
    const keys = new Keys({ database, runtime });
    const { token, record } = await keys.create({ tenant: "a", name: "CI", scopes: ["deploy"], expiresMs: null });
    expect(token).toMatch(/^plk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(await keys.authenticate(token)).toEqual(record);
    expect(JSON.stringify(await keys.list("a"))).not.toContain(token.slice(21));
    expect(readFileSync(join(folder, "plinth.db")).includes(token.slice(21))).toBe(false);
  });

  it("are refused when any part differs", async () => {
    const keys = new Keys({ database, runtime });
    const { token } = await keys.create({ tenant: "a", name: "", scopes: ["invoke"], expiresMs: null });
    const other = await keys.create({ tenant: "a", name: "", scopes: ["admin"], expiresMs: null });
    for (const forged of [
      "",
      "plk_",
      token.slice(0, -1),
      `${token}a`,
      token.slice(0, 21) + other.token.slice(21),
      `${other.token.slice(0, 21)}${token.slice(21)}`,
    ]) {
      expect(await keys.authenticate(forged)).toBeUndefined();
    }
  });

  it("K09: end at the moment of their revocation, also for another reader of the store", async () => {
    const keys = new Keys({ database, runtime });
    const revoked: string[] = [];
    keys.onRevoked((id) => revoked.push(id));
    const { token, record } = await keys.create({ tenant: "a", name: "", scopes: ["invoke"], expiresMs: null });
    expect(await keys.authenticate(token)).toBeDefined();
    expect(await keys.revoke("b", record.id)).toBe(false);
    expect(await keys.authenticate(token)).toBeDefined();
    expect(await keys.revoke("a", record.id)).toBe(true);
    expect(await keys.authenticate(token)).toBeUndefined();
    expect(await new Keys({ database, runtime }).authenticate(token)).toBeUndefined();
    expect(revoked).toEqual([record.id]);
  });

  it("end when their time is over", async () => {
    const keys = new Keys({ database, runtime });
    const { token } = await keys.create({ tenant: "a", name: "", scopes: ["invoke"], expiresMs: nowMs + 1000 });
    expect(await keys.authenticate(token)).toBeDefined();
    nowMs += 1000;
    expect(await keys.authenticate(token)).toBeUndefined();
  });
});

describe("tenants", () => {
  const open = (tier: number) => new Tenants({ database, runtime, tier });

  it("has the tenant `default` from the start", async () => {
    expect(await open(0).find("default")).toMatchObject({ name: "default", requireKey: false });
    expect((await open(2).list()).map((tenant) => tenant.name)).toContain("default");
  });

  it("creates, changes and deletes; a deleted name is never given again", async () => {
    const tenants = open(2);
    expect(await tenants.find("acme")).toBeUndefined();
    await tenants.create({ name: "acme", requireKey: true });
    expect(await tenants.find("acme")).toMatchObject({ requireKey: true });
    await expect(tenants.create({ name: "acme", requireKey: false })).rejects.toMatchObject({ code: "AlreadyExists" });
    await tenants.setRequireKey("acme", false);
    expect(await tenants.find("acme")).toMatchObject({ requireKey: false });
    await tenants.delete("acme");
    expect(await tenants.find("acme")).toBeUndefined();
    expect((await tenants.list()).map((tenant) => tenant.name)).not.toContain("acme");
    await expect(tenants.create({ name: "acme", requireKey: false })).rejects.toMatchObject({ code: "AlreadyExists" });
    await expect(tenants.delete("acme")).rejects.toMatchObject({ code: "NotFound" });
  });

  it("erases a deleted tenant's data, also after a restart, and no other's", async () => {
    const tenants = open(2);
    const write = async (tenant: string) => {
      await database.update({ tenant, branch: "main" }, async (transaction) => {
        for (let i = 0; i < 40; i += 1) await transaction.syscall("1.0/insert", JSON.stringify({ table: "things", value: { i } }));
      });
    };
    const count = async (tenant: string) =>
      await database.read({ tenant, branch: "main" }, (transaction) =>
        transaction.syscall("1.0/count", JSON.stringify({ table: "things" })),
      );
    for (const name of ["gone", "gone-too", "gone-to"]) await tenants.create({ name, requireKey: false });
    for (const name of ["gone", "gone-too", "gone-to"]) await write(name);
    await database.update(PLATFORM_SCOPE, async ({ records }) => {
      for (const name of ["gone", "gone-too", "gone-to"]) records.put(KEYRING_PLACES, [name, "main", "kr_1"], true);
      await Promise.resolve();
    });
    await tenants.delete("gone");
    await tenants.delete("gone-too");
    const eraser = new TenantEraser({ database, tenants: open(2), log: createTelemetry({ logLevel: "silent" }).log });
    eraser.start();
    await eraser.settled();
    expect(await Promise.all(["gone", "gone-too", "gone-to"].map(count))).toEqual(["0", "0", "40"]);
    const places = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(KEYRING_PLACES, { prefix: [], limit: 10 }));
    expect(places.map(({ key }) => key[0])).toEqual(["gone-to"]);
  });

  it("serves one tenant only where isolation is weak", async () => {
    await open(2).create({ name: "second", requireKey: false });
    await expect(open(1).create({ name: "third", requireKey: false })).rejects.toMatchObject({ code: "IsolationTooWeak" });
    expect(await open(1).find("second")).toBeUndefined();
    expect(await open(1).find("default")).toBeDefined();
  });

  it.each(["", "A", "a b", "-a", "a/b", "$platform", "..", "a".repeat(64), "ä"])("refuses the name %j", async (name) => {
    await expect(open(2).create({ name, requireKey: false })).rejects.toMatchObject({ code: "BadRequest" });
    expect(await open(2).find(name)).toBeUndefined();
  });

  it("keeps `default`", async () => {
    await expect(open(2).delete("default")).rejects.toMatchObject({ code: "BadRequest" });
    await expect(open(2).create({ name: "default", requireKey: false })).rejects.toMatchObject({ code: "AlreadyExists" });
  });
});

describe("the operator's key", () => {
  it("is made once, for the owner's eyes only", async () => {
    const first = await openAdminKey({ given: null, dataDir: folder, runtime });
    const second = await openAdminKey({ given: null, dataDir: folder, runtime });
    expect(second.text).toBe(first.text);
    expect(first.matches(first.text)).toBe(true);
    expect(first.matches(`${first.text}x`)).toBe(false);
    expect(statSync(join(folder, "admin-key")).mode & 0o777).toBe(0o600);
  });

  it("can be given", async () => {
    expect((await openAdminKey({ given: "0123456789abcdef", dataDir: folder, runtime })).matches("0123456789abcdef")).toBe(true);
  });
});
