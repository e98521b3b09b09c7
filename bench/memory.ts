import { spawn } from "node:child_process";
import { call } from "../packages/cli/src/client.ts";
import { rounded, type Bench } from "./bench.ts";
import { untilWarm } from "./cold-tenant.ts";
import { deploy, forTenant, runBenchFunction, startBenchHost } from "./host.ts";
import { processMiB, treeMiB } from "./host-memory.ts";

const SETTLE_MS = 4000;

/** Memory of the host and all its runners (proportional set size): idle, with one more tenant, after 50 and 500 deploys. */
export const memory: Bench = async () => {
  const host = await startBenchHost();
  try {
    const measure = async () => {
      await untilWarm(host.connection);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return treeMiB(host.process.ready.pid);
    };
    const idle = await measure();
    const hostOnly = processMiB(host.process.ready.pid);
    await call(host.connection, "/v1/tenants", { body: { name: "one-more" } });
    const tenant = forTenant(host.connection, "one-more");
    await deploy(tenant);
    await runBenchFunction(tenant, "things:insert", { text: "x" });
    const oneMore = await measure();
    const deployTo = async (from: number, to: number) => {
      for (let i = from; i < to; i += 1) {
        await deploy(host.connection, `variant ${i}`);
        await runBenchFunction(host.connection, "things:insert", { text: "x" });
      }
    };
    await deployTo(0, 50);
    const after50 = await measure();
    await deployTo(50, 500);
    const after500 = await measure();
    const bare = await bareNodeMiB();
    return {
      name: "memory",
      unit: "MiB",
      p50: rounded(idle),
      p99: rounded(after500),
      raw: { what: "a bare Node process", value: rounded(bare) },
      ratio: rounded(bare / idle),
      details: {
        "host alone": rounded(hostOnly),
        "one more tenant": rounded(oneMore - idle),
        "after 50 deploys": rounded(after50),
        "after 500 deploys": rounded(after500),
        "growth from 50 to 500, %": rounded((after500 / after50 - 1) * 100),
      },
    };
  } finally {
    await host.stop();
  }
};

async function bareNodeMiB(): Promise<number> {
  const bare = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return processMiB(bare.pid ?? 0);
  } finally {
    bare.kill();
  }
}
