/** A real host with functions on notes, and what tests of triggers ask of it. */
import { join } from "node:path";
import { deployFolder, startLocalHost, type LocalHost } from "../../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../../events/event-host.ts";

export type Json = Readonly<Record<string, unknown>>;

export interface FlowHost extends EventHost {
  publish(name: string, trigger: Json, nodes?: Json): Promise<void>;
  setOn(name: string, isOn: boolean): Promise<void>;
  runs(flow: string): Promise<readonly Json[]>;
  /** The `count` runs of a flow when they have ended, the oldest first, with their outputs. */
  ended(flow: string, count: number): Promise<readonly Json[]>;
  restarted(local: LocalHost): FlowHost;
}

/** Gives back its trigger. */
export const ECHO: Json = { give: { type: "return", data: { output: "=trigger" } } };

export async function startFlowHost(args: readonly string[] = []): Promise<FlowHost> {
  const local = await startLocalHost(["--warm-runners", "1", ...args]);
  await deployFolder(local.connection, join(import.meta.dirname, "..", "functions", "convex"));
  return flowHost(local);
}

export function flowHost(local: LocalHost): FlowHost {
  const host = eventHost(local);
  const runs = async (flow: string) => (await succeed(host.send(`/v1/flow-runs?flow=${flow}`))).json["runs"] as readonly Json[];
  return {
    ...host,
    runs,
    publish: async (name, trigger, nodes = ECHO) => {
      const definition = { format: 1, name, trigger, start: Object.keys(nodes)[0], nodes };
      const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
      if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
    },
    setOn: async (name, isOn) => void (await succeed(host.send(`/v1/flows/${name}/state`, { method: "PUT", body: { isOn } }))),
    ended: async (flow, count) => {
      const all = await eventually(async () => {
        const found = await runs(flow);
        return found.length >= count && found.every(({ endedMs }) => endedMs !== null) ? found : undefined;
      }, `${count} runs of ${flow}`);
      const details = await Promise.all(all.map(async ({ id }) => (await succeed(host.send(`/v1/flow-runs/${String(id)}`))).json));
      return details.reverse();
    },
    restarted: flowHost,
  };
}
