import { call, field } from "../packages/cli/src/client.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { push } from "./packages.ts";
import { measureRawHandlers } from "./raw-handlers.ts";

const CLIENTS = 8;
const RUNS = 3;
const RUN_MS = 2000;

/** A command that a user types: its package is found, the event is made with tokens of the account and of the user, and it runs. */
export const command: Bench = async () => {
  const host = await startBenchHost();
  try {
    const { connection } = host;
    await push(connection, { folder: "flooded", name: "flooded" });
    const snapIn = field(await call(connection, "/v1/snap-ins", { body: { package: "flooded" } }), "id") ?? "";
    await call(connection, `/v1/snap-ins/${snapIn}/activate`, { body: {} });
    const load = (clients: number) =>
      run({
        url: new URL(`${connection.url}/v1/commands/flood/go`),
        clients,
        durationMs: RUN_MS,
        bodies: [JSON.stringify({ object: "don:core:plinth:devo/default:issue/1", user: "ada", parameters: "now" })],
        headers: { authorization: `Bearer ${connection.key ?? ""}` },
        check: (body) => {
          if (!body.includes('"status":"succeeded"')) throw new Error(body);
        },
      });
    await load(CLIENTS);
    const single = await medianRun(
      RUNS,
      () => load(1),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const many = await medianRun(
      RUNS,
      () => load(CLIENTS),
      ({ perSecond }) => perSecond,
    );
    const raw = await measureRawHandlers("node", CLIENTS);
    const p50 = percentile(single.latenciesMs, 0.5);
    return {
      name: "command",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(single.latenciesMs, 0.99)),
      perSecond: Math.round(many.perSecond),
      raw: { what: "a handler in plain node, behind node:http and a socket", p50: rounded(raw.p50), perSecond: Math.round(raw.perSecond) },
      ratio: rounded(raw.p50 / p50),
      details: { [`p99 of ${CLIENTS} clients, ms`]: rounded(percentile(many.latenciesMs, 0.99)) },
    };
  } finally {
    await host.stop();
  }
};
