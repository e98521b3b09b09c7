import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { openSqliteStore, type OpenOptions } from "./open-sqlite-store.ts";
import type { SqliteStore } from "./sqlite-store.ts";

const system = createSystemRuntime();

/** A data folder for one test, the store in it, and a clock that the test can set. */
export class TestFolder {
  readonly dataDir = mkdtempSync(join(tmpdir(), "plinth-sqlite-"));
  readonly databaseFile = join(this.dataDir, "plinth.db");
  readonly runtime = { ...system, nowMs: () => system.nowMs() + this.clockOffsetMs };
  clockOffsetMs = 0;
  #store: SqliteStore | undefined;

  async open(options: Partial<OpenOptions> = {}): Promise<SqliteStore> {
    await this.#store?.close();
    this.#store = await openSqliteStore({ dataDir: this.dataDir, runtime: this.runtime, ...options });
    return this.#store;
  }

  async remove(): Promise<void> {
    await this.#store?.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
