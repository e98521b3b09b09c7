import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { insertThing, time } from "./grpc-execute.ts";
import { deploy, startBenchHost } from "./host.ts";
import { percentile, run } from "./load.ts";

const RUNS = 5;
const DURATION_MS = 2000;
const CLIENTS = 16;
const OVERHEAD_GOAL_MS = 5;

/** A tool call through MCP, with the official client; what it adds to the same operation over HTTP. */
export const skillMcp: Bench = async () => {
  const host = await startBenchHost(["--no-query-cache"]);
  const headers = { authorization: `Bearer ${host.connection.key ?? ""}` };
  const client = new Client({ name: "bench", version: "1" });
  try {
    await deploy(host.connection);
    const id = await insertThing(host.connection);
    const transport = new StreamableHTTPClientTransport(new URL(`${host.connection.url}/mcp`), { requestInit: { headers } });
    await client.connect(transport as unknown as Parameters<Client["connect"]>[0]);
    await client.listTools();
    const tool = async () => {
      const result = await client.callTool({ name: "get_thing", arguments: { _id: id } });
      if (result.isError === true) throw new Error(JSON.stringify(result.content));
    };
    const ping = async () => void (await client.ping());
    await time(tool, { clients: CLIENTS, durationMs: 1000 });
    await time(ping, { clients: 1, durationMs: 500 });

    const single = (call: () => Promise<void>) =>
      medianRun(
        RUNS,
        () => time(call, { clients: 1, durationMs: DURATION_MS }),
        ({ latenciesMs }) => percentile(latenciesMs, 0.5),
      );
    const tools = await single(tool);
    const raw = await single(ping);
    const many = await time(tool, { clients: CLIENTS, durationMs: DURATION_MS });
    const http = await medianRun(
      RUNS,
      () =>
        run({
          url: new URL(`${host.connection.url}/v1/operations/objects%2Fget_thing/execute`),
          clients: 1,
          durationMs: DURATION_MS,
          bodies: [JSON.stringify({ input: { _id: id } })],
          headers,
          check: (body) => {
            if (!body.includes('"status":"succeeded"')) throw new Error(body);
          },
        }),
      ({ latenciesMs }) => percentile(latenciesMs, 0.5),
    );
    const p50 = percentile(tools.latenciesMs, 0.5);
    const rawP50 = percentile(raw.latenciesMs, 0.5);
    const httpP50 = percentile(http.latenciesMs, 0.5);
    return {
      name: "skill-mcp",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(tools.latenciesMs, 0.99)),
      perSecond: rounded(many.perSecond),
      raw: { what: "`ping` of the same session", p50: rounded(rawP50) },
      ratio: rounded(rawP50 / p50),
      details: {
        "the operation over HTTP p50, ms": rounded(httpP50),
        "overhead p50, ms": rounded(p50 - httpP50),
        "goal of that, ms": OVERHEAD_GOAL_MS,
      },
    };
  } finally {
    await client.close();
    await host.stop();
  }
};
