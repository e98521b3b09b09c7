import { FunctionService } from "../packages/server/src/protobuf/_generated/plinth/v1/functions_pb.js";
import { Health } from "../packages/server/src/protobuf/_generated/grpc/health/v1/health_pb.js";
import { GrpcClient } from "../packages/server/src/doors/test/grpc-client.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";

const RUNS = 5;
const DURATION_MS = 2000;
const CLIENTS = 16;
const NATIVE_GOAL_MS = 1;
const ISOLATE_GOAL_MS = 1;

/** `ExecuteOperation` of a native operation and `Execute` of a query in an isolate, with the official client for Node. */
export const grpcExecute: Bench = async () => {
  const host = await startBenchHost(["--no-query-cache", "--grpc-port", "0"]);
  const client = new GrpcClient(host.process.ready.grpcAddress ?? "", host.connection.key);
  try {
    await deploy(host.connection);
    const id = await insertThing(host.connection);
    const { executeOperation, execute } = FunctionService.method;
    const native = async () => {
      const { output, invocation } = await client.one(executeOperation, { operation: "objects/get_thing", input: { _id: id } });
      if (invocation?.exitCode !== 0 || output?.error !== undefined) throw new Error(JSON.stringify(output));
    };
    const isolate = async () => {
      const events = await client.call(execute, [{ function: "things:get", args: { id }, resultOnly: true }]);
      const last = events.at(-1)?.event;
      if (last?.case !== "result" || last.value.invocation?.exitCode !== 0) throw new Error("the query failed");
    };
    const bare = async () => void (await client.one(Health.method.check, {}));
    // The host compiles what is called often; before that it is two or three times as slow.
    for (const warm of [native, isolate, bare]) await time(warm, { clients: CLIENTS, durationMs: 3000 });

    const single = (call: () => Promise<void>) =>
      medianRun(
        RUNS,
        () => time(call, { clients: 1, durationMs: DURATION_MS }),
        ({ latenciesMs }) => percentile(latenciesMs, 0.5),
      );
    const nativeRun = await single(native);
    const isolateRun = await single(isolate);
    const raw = await single(bare);
    const many = await time(native, { clients: CLIENTS, durationMs: DURATION_MS });
    const rawMany = await time(bare, { clients: CLIENTS, durationMs: DURATION_MS });
    const http = await medianRun(
      RUNS,
      () => httpDoor(host.connection, id),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const p50 = percentile(nativeRun.latenciesMs, 0.5);
    const isolateP50 = percentile(isolateRun.latenciesMs, 0.5);
    const httpP50 = percentile(http.latenciesMs, 0.5);
    return {
      name: "grpc-execute",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(nativeRun.latenciesMs, 0.99)),
      perSecond: rounded(many.perSecond),
      raw: {
        what: "health check of the same port",
        p50: rounded(percentile(raw.latenciesMs, 0.5)),
        perSecond: rounded(rawMany.perSecond),
      },
      ratio: rounded(many.perSecond / rawMany.perSecond),
      details: {
        "goal, ms": NATIVE_GOAL_MS,
        "isolate function p50, ms": rounded(isolateP50),
        "the same over HTTP p50, ms": rounded(httpP50),
        "isolate over HTTP, ms": rounded(isolateP50 - httpP50),
        "goal of that, ms": ISOLATE_GOAL_MS,
      },
    };
  } finally {
    client.close();
    await host.stop();
  }
};

/** The id of a new document. */
export async function insertThing(connection: Parameters<typeof runBenchFunction>[0]): Promise<string> {
  const id = await runBenchFunction(connection, "things:insert", { text: "x".repeat(200) });
  if (typeof id !== "string") throw new Error("no id");
  return id;
}

/** Calls one after the other on each of `clients` lanes; sorted latencies. */
export async function time(
  call: () => Promise<void>,
  { clients, durationMs }: { readonly clients: number; readonly durationMs: number },
): Promise<{ readonly latenciesMs: readonly number[]; readonly perSecond: number }> {
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - startedMs < durationMs) {
        const fromMs = performance.now();
        await call();
        latenciesMs.push(performance.now() - fromMs);
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), perSecond: latenciesMs.length / seconds };
}

function httpDoor(connection: { readonly url: string; readonly key?: string | undefined }, id: string) {
  return run({
    url: new URL(`${connection.url}/v1/functions/things:get/execute`),
    clients: 1,
    durationMs: DURATION_MS,
    bodies: [JSON.stringify({ args: { id } })],
    headers: { authorization: `Bearer ${connection.key ?? ""}` },
    check: (body) => {
      if (!body.includes('"status":"succeeded"')) throw new Error(body);
    },
  });
}
