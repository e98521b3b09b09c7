import { rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";
import { ARGS, quantiles, timeCall, untilReady } from "./packages.ts";
import { measureSpawn, PLAIN_JAIL } from "./raw-spawn.ts";

const CALLS = 40;
const CLIENTS = 4;
const RUN_MS = 4000;
const GOAL_MS = 40;

const PATH = "/v1/code/execute";
const BODY = {
  language: "python",
  code: 'items = inputs["items"]\nresult = {"total": sum(item["amount"] for item in items), "count": len(items)}',
  inputs: ARGS,
};
const EXPECTED = '"result":{"total":45,"count":10}';

/** Inline code, each in a process of its own: with a process ready, and without any. */
export const pythonInline: Bench = async () => {
  const withSpares = await measure(["--warm-inline", String(CLIENTS)]);
  const usual = await measure([]);
  const without = await measure(["--warm-inline", "0"]);
  const python = ["/usr/bin/python3", "-I", "-S", "-c", "pass"];
  const raw = await measureSpawn(python);
  const { p50, p99 } = usual.spaced;
  return {
    name: "python-inline",
    unit: "ms",
    p50: rounded(p50),
    p99: rounded(p99),
    perSecond: rounded(usual.perSecond),
    raw: { what: "start and end of a bare `python3 -I -S -c pass`", p50: rounded(raw) },
    ratio: rounded(raw / p50),
    details: {
      "goal, ms": GOAL_MS,
      "raw in a plain jail, ms": rounded(await measureSpawn([...PLAIN_JAIL, ...python])),
      "one after the other p50, ms": rounded(usual.single),
      [`${CLIENTS} clients p50, ms`]: rounded(usual.many),
      "without spares p50, ms": rounded(without.single),
      [`without spares, ${CLIENTS} clients p50, ms`]: rounded(without.many),
      [`${CLIENTS} spares, ${CLIENTS} at once p50, ms`]: rounded(withSpares.burst),
      [`${CLIENTS} spares, ${CLIENTS} clients p50, ms`]: rounded(withSpares.many),
    },
  };
};

/** `spaced`: a process is ready before each call; `burst`: as many as there are clients, all called at once. */
async function measure(args: readonly string[]) {
  const spares = Number(args[1] ?? 1);
  const host = await startBenchHost(["--warm-runners", "0", ...args]);
  const time = () => timeCall(host.connection, { path: PATH, body: BODY, expected: EXPECTED });
  try {
    for (let i = 0; i < 5; i += 1) await time();
    const spaced: number[] = [];
    for (let i = 0; i < CALLS && spares > 0; i += 1) {
      await untilReady(host.connection, spares);
      spaced.push(await time());
    }
    const burst: number[] = [];
    for (let i = 0; i < CALLS / CLIENTS && spares === CLIENTS; i += 1) {
      await untilReady(host.connection, spares);
      burst.push(...(await Promise.all(Array.from({ length: CLIENTS }, time))));
    }
    const load = (clients: number) =>
      run({
        url: new URL(host.connection.url + PATH),
        clients,
        durationMs: RUN_MS,
        bodies: [JSON.stringify(BODY)],
        headers: { authorization: `Bearer ${host.connection.key ?? ""}` },
        check: (body) => {
          if (!body.includes(EXPECTED)) throw new Error(`the host answered ${body.slice(0, 300)}`);
        },
      });
    const single = await load(1);
    const many = await load(CLIENTS);
    return {
      spaced: quantiles(spaced),
      burst: quantiles(burst).p50,
      single: percentile(single.latenciesMs, 0.5),
      many: percentile(many.latenciesMs, 0.5),
      perSecond: many.perSecond,
    };
  } finally {
    await host.stop();
  }
}
