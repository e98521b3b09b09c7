import { call, field, type Json } from "../packages/cli/src/client.ts";
import { rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { push, quantiles, timeCall } from "./packages.ts";

const WARM_UP = 20;
const RAW_CALLS = 100;

/**
 * One call of a sync run, from the commit that asks for it to the commit of its report: the event is made, the function runs in its
 * process, reads its state, writes it and reports progress.
 */
export const syncPhase: Bench = async () => {
  const host = await startBenchHost();
  try {
    const { connection } = host;
    await push(connection, { folder: "synced", name: "synced" });
    const snapIn = field(await call(connection, "/v1/snap-ins", { body: { package: "synced" } }), "id") ?? "";
    await call(connection, "/v1/keyrings", { body: { name: "remote", type: "snap_in_secret", fields: { secret: "x" } } });
    await call(connection, `/v1/snap-ins/${snapIn}/activate`, { body: {} });
    const rawMs: number[] = [];
    const request = { path: `/v1/functions/${encodeURIComponent("@synced/idle")}/execute`, body: { args: {} }, expected: '"idle":true' };
    for (let i = 0; i < WARM_UP + RAW_CALLS; i += 1) {
      const tookMs = await timeCall(connection, request);
      if (i >= WARM_UP) rawMs.push(tookMs);
    }
    const body = { snapIn, import: "things", keyring: "remote", external: { id: "p" } };
    const unit = field(await call(connection, "/v1/sync/units", { body }), "id") ?? "";
    const run = field(await call(connection, `/v1/sync/units/${unit}/runs`, { body: { mode: "initial" } }), "id") ?? "";
    let ended: Json;
    do ended = await call(connection, `/v1/sync/runs/${run}?wait=true`);
    while (field(ended, "status") === "calling");
    if (field(ended, "status") !== "done") throw new Error(`the run ended otherwise: ${JSON.stringify(ended).slice(0, 500)}`);
    const rows = [...callsOf(ended), ...callsOf(await call(connection, `/v1/sync/runs/${run}?afterCall=200`))];
    const data = rows.filter(({ phase }) => phase === "data").slice(WARM_UP);
    const { p50, p99 } = quantiles(data.map(({ createdMs, endedMs }) => endedMs - createdMs));
    const [first, last] = [data[0], data.at(-1)];
    const raw = quantiles(rawMs).p50;
    return {
      name: "sync-phase",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(p99),
      perSecond: first === undefined || last === undefined ? 0 : rounded((data.length * 1000) / (last.endedMs - first.createdMs)),
      raw: { what: "a warm call of a handler that does nothing, through the API", p50: rounded(raw) },
      ratio: rounded(raw / p50),
      details: { calls: data.length, "requests of the function per call": 3 },
    };
  } finally {
    await host.stop();
  }
};

interface CallRow {
  readonly phase: string;
  readonly createdMs: number;
  readonly endedMs: number;
}

function callsOf(run: Json): readonly CallRow[] {
  return (run as unknown as { readonly calls: readonly CallRow[] }).calls;
}
