/**
 * A host in small, for tests that kill one: opens the store in the folder of its first argument, says
 * "open", and with the second argument "write" commits until it is killed. It tells of each commit only
 * after the store did.
 */
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";

const [, , dataDir = "", mode] = process.argv;
try {
  const store = await openSqliteStore({ dataDir, runtime: createSystemRuntime(), walPagesMax: 64 });
  process.stdout.write("open\n");
  if (mode === "write") await Promise.all(Array.from({ length: 8 }, (_, client) => writeForEver(client)));
  else setInterval(() => undefined, 60_000);

  async function writeForEver(client: number): Promise<void> {
    for (let i = 0; ; i++) {
      const value = Buffer.from(`${i}`);
      const result = await store.commit({
        writes: [
          { key: Buffer.from(`client/${client}`), value },
          { key: Buffer.from(`mirror/${client}`), value },
          { key: Buffer.from(`each/${client}/${i}`), value },
        ],
      });
      if (result.kind === "committed") process.stdout.write(`${client} ${i} ${result.ts}\n`);
    }
  }
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
