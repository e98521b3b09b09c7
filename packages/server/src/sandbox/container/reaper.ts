/**
 * A small process beside the host that ends the host's containers when the host is gone, however it ended: its standard input is
 * a pipe that only the host holds. Arguments: the engine's URL and the label that the containers have.
 */
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { DockerApi, parseEngineAddress } from "./docker-api.ts";

const runtime = createSystemRuntime();
const [url = "", label = ""] = process.argv.slice(2);
const QUIET_ROUNDS = 3;
const ROUNDS = 60;
const PAUSE_MS = 300;

/** A request of the host may still be under way in the engine, so it looks until there was nothing for a while. */
async function sweep(): Promise<void> {
  const api = new DockerApi({ address: parseEngineAddress(url), runtime });
  let quiet = 0;
  for (let round = 0; quiet < QUIET_ROUNDS && round < ROUNDS; round++) {
    try {
      const left = await api.list([label]);
      await Promise.all(left.map(({ name }) => api.remove(name)));
      quiet = left.length === 0 ? quiet + 1 : 0;
    } catch {
      quiet = 0;
    }
    await runtime.sleep(PAUSE_MS);
  }
  process.exit(0);
}

let orderly = false;
process.stdin.on("data", () => {
  orderly = true;
});
process.stdin.on("end", () => (orderly ? process.exit(0) : void sweep()));
process.stdin.on("error", () => void sweep());
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
