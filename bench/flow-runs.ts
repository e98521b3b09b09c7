/** Flows of the benchmarks: published and run as a user does, with an API call that waits for the result. */
import { call } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { medianRun, rounded, type Figure } from "./bench.ts";
import { percentile, run, type Load, type LoadResult } from "./load.ts";
import { measureRawSteps, type RawWork } from "./raw-steps.ts";

export const FLOW_CLIENTS = 16;
const RUNS = 5;
const RUN_MS = 2000;

export type Nodes = Readonly<Record<string, { readonly type: string; readonly data: Data; readonly next?: string }>>;
type Data = Readonly<Record<string, string | number | boolean | Readonly<Record<string, string>> | readonly string[]>>;

export interface Flow {
  readonly name: string;
  readonly start: string;
  readonly nodes: Nodes;
  /** `api` when absent. */
  readonly trigger?: { readonly type: string; readonly data: Data };
  readonly variables?: Readonly<Record<string, Data>>;
}

export async function publishFlow(connection: Connection, { trigger = { type: "api", data: {} }, ...flow }: Flow): Promise<void> {
  const definition = { format: 1, trigger, ...flow };
  const published = JSON.stringify(await call(connection, "/v1/flows", { body: { definition } }));
  if (published.includes('"version":null')) throw new Error(published);
}

/** Nodes one after the other: `step1`, `step2`, … */
export function inARow(steps: readonly { readonly type: string; readonly data: Data }[]): Pick<Flow, "start" | "nodes"> {
  const names = steps.map((_, index) => `step${index + 1}`);
  const entries = steps.map((step, index) => {
    const next = names[index + 1];
    return [names[index] ?? "", next === undefined ? step : { ...step, next }] as const;
  });
  return { start: "step1", nodes: Object.fromEntries(entries) };
}

export interface RunsOfFlow {
  readonly single: LoadResult;
  readonly many: LoadResult;
}

/** Runs of a flow by calls that wait for their results. */
export async function measureRuns(connection: Connection, flow: { readonly name: string; readonly input: unknown }): Promise<RunsOfFlow> {
  return await measureRequests({
    url: urlOfRuns(connection, flow.name),
    bodies: [JSON.stringify({ input: flow.input, waitMs: 30_000 })],
    headers: { authorization: `Bearer ${connection.key ?? ""}` },
    check: (body) => {
      if (!body.includes('"status":"completed"')) throw new Error(body.slice(0, 1000));
    },
  });
}

export function urlOfRuns(connection: Connection, flow: string): URL {
  return new URL(`${connection.url}/v1/flows/${flow}/runs`);
}

/** Starts runs from many clients, which wait for their ends where `waitMs` is given; how long it took, in milliseconds. */
export async function startRuns(
  connection: Connection,
  flow: { readonly name: string; readonly count: number; readonly input: (index: number) => unknown; readonly waitMs?: number },
): Promise<number> {
  const fromMs = performance.now();
  await run({
    url: urlOfRuns(connection, flow.name),
    clients: 32,
    durationMs: Number.POSITIVE_INFINITY,
    requestsMax: flow.count,
    bodies: Array.from({ length: flow.count }, (_, index) => JSON.stringify({ input: flow.input(index), waitMs: flow.waitMs })),
    headers: { authorization: `Bearer ${connection.key ?? ""}` },
    status: flow.waitMs === undefined ? 202 : 200,
    check: () => undefined,
  });
  return performance.now() - fromMs;
}

/** One after the other, and from `FLOW_CLIENTS` clients: of each the median of several measurements. */
export async function measureRequests(request: Omit<Load, "clients" | "durationMs">): Promise<RunsOfFlow> {
  const load = (clients: number, durationMs: number) => run({ ...request, clients, durationMs });
  await load(FLOW_CLIENTS, 2000);
  await load(1, 500);
  const single = await medianRun(
    RUNS,
    () => load(1, RUN_MS),
    ({ latenciesMs }) => percentile(latenciesMs, 0.5),
  );
  const many = await medianRun(
    RUNS,
    () => load(FLOW_CLIENTS, RUN_MS),
    ({ perSecond }) => perSecond,
  );
  return { single, many };
}

/** What benchmarks of short runs have in common; `ratio` compares the latency of single runs. */
export async function figureOfRuns(
  name: string,
  { single, many }: RunsOfFlow,
  { work, details }: { readonly work: RawWork; readonly details: (p50: number) => Readonly<Record<string, number>> },
): Promise<Figure> {
  const raw = await measureRawSteps(work, FLOW_CLIENTS);
  const p50 = percentile(single.latenciesMs, 0.5);
  return {
    name,
    unit: "ms",
    p50: rounded(p50),
    p99: rounded(percentile(single.latenciesMs, 0.99)),
    perSecond: Math.round(many.perSecond),
    raw: { what: raw.what, p50: rounded(raw.p50), perSecond: Math.round(raw.perSecond) },
    ratio: rounded(raw.p50 / p50),
    details: {
      ...Object.fromEntries(Object.entries(details(p50)).map(([key, value]) => [key, rounded(value)])),
      [`p99 of ${FLOW_CLIENTS} clients, ms`]: rounded(percentile(many.latenciesMs, 0.99)),
    },
  };
}
