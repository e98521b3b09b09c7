/**
 * A host with an attacker (the default tenant) and a canary neighbour, and what must hold after every case: the host is
 * the same process, the canary had no error and was not slowed, and the host gave back what the case took.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { call, send, type Json } from "../../packages/cli/src/client.ts";
import { callFunction, deployFolder, forTenant, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

/** The canary's slowest 1 % may take twice its idle time; below this floor it is noise of a small machine that runs other tests beside. */
const CANARY_FLOOR_MS = 400;
const HOST_GROWTH_MIB_MAX = 60;

export interface CaseResult {
  /** `success` or the error message as the caller sees it. */
  readonly status: "success" | "error";
  readonly value?: Json;
  readonly message: string;
  readonly logLines: readonly string[];
  readonly tookMs: number;
}

export class AbuseHost {
  readonly host: LocalHost;
  #idleP99Ms = 0;

  private constructor(host: LocalHost) {
    this.host = host;
  }

  static async start(args: readonly string[] = []): Promise<AbuseHost> {
    const host = await startLocalHost(args);
    await deployFolder(host.connection, join(import.meta.dirname, "functions", "convex"));
    await call(host.connection, "/v1/tenants", { body: { name: "canary" } });
    const abuse = new AbuseHost(host);
    await deployFolder(abuse.#canary, join(import.meta.dirname, "functions", "convex"));
    const idle = await abuse.#watchCanary(async () => await pause(1000));
    abuse.#idleP99Ms = idle.p99Ms;
    return abuse;
  }

  async stop(): Promise<void> {
    await this.host.stop();
  }

  /** Calls a function as the attacker, while the canary is watched, and checks the invariants. */
  async attack(path: string, args: Json = {}): Promise<CaseResult> {
    return await this.during(() => this.callAsAttacker(path, args));
  }

  async callAsAttacker(path: string, args: Json = {}): Promise<CaseResult> {
    const fromMs = performance.now();
    const response = await send(this.host.connection, "/api/function", { body: { path, args, format: "json" } });
    const json = (await response.json()) as { status?: string; value?: Json; errorMessage?: string; message?: string; logLines?: string[] };
    return {
      status: json.status === "success" ? "success" : "error",
      ...(json.value === undefined ? {} : { value: json.value }),
      message: json.errorMessage ?? json.message ?? "",
      logLines: json.logLines ?? [],
      tookMs: performance.now() - fromMs,
    };
  }

  /** Runs `work` and asserts that the host and the canary are none the worse. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#hostState();
    const { result, errors, p99Ms } = await this.#watchCanary(work);
    expect(errors, "errors of the canary").toEqual([]);
    expect(p99Ms, "p99 of the canary").toBeLessThanOrEqual(Math.max(2 * this.#idleP99Ms, CANARY_FLOOR_MS));
    expect(alive(this.host.process.ready.pid), "the host lives").toBe(true);
    const after = this.#hostState();
    expect(after.residentMiB - before.residentMiB, "growth of the host, MiB").toBeLessThan(HOST_GROWTH_MIB_MAX);
    return result;
  }

  get #canary() {
    return forTenant(this.host.connection, "canary");
  }

  async #watchCanary<T>(work: () => Promise<T>): Promise<{ result: T; errors: string[]; p99Ms: number }> {
    const errors: string[] = [];
    const timesMs: number[] = [];
    let working = true;
    const watcher = (async () => {
      while (working) {
        const fromMs = performance.now();
        try {
          expect(await callFunction(this.#canary, "guest:marks", {})).toBe(0);
        } catch (error) {
          errors.push(String(error));
        }
        timesMs.push(performance.now() - fromMs);
        await pause(10);
      }
    })();
    try {
      const result = await work();
      working = false;
      await watcher;
      timesMs.sort((a, b) => a - b);
      return { result, errors, p99Ms: timesMs[Math.floor(timesMs.length * 0.99)] ?? 0 };
    } finally {
      working = false;
    }
  }

  #hostState(): { readonly residentMiB: number; readonly descriptors: number } {
    const { pid } = this.host.process.ready;
    const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { residentMiB: Number(resident) / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
