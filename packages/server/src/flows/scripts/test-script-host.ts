/** Flows with scripts that run apart, over a real store; the engine is played, so that it can end, lose or keep anything at any point. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDiskBlobs } from "../../blobs/disk/disk-blobs.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_RUNS, FLOW_SCRIPTS, FLOW_VALUES, FLOW_VERSIONS, FLOWS, PLATFORM_SCOPE } from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import type { Engine, InvocationRecord, InvocationRequest } from "../../engine/invocation.ts";
import { KeyRing } from "../../keyrings/encryption.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import type { RunRow } from "../flow-records.ts";
import type { RunDetail } from "../flows.ts";
import { AnswerTokens } from "../answer-tokens.ts";
import { type FlowsOptions, type OpenedFlows, openFlows } from "../open-flows.ts";
import { StepLogs } from "../step-logs.ts";
import { LargeValues } from "../values/large-values.ts";
import { AsyncScripts } from "./async-scripts.ts";
import { FlowReaper, type Reaped } from "./reaper.ts";
import { ScriptCallbacks } from "./script-callbacks.ts";
import type { AsyncScriptRow } from "./script-records.ts";
import { type ScriptReport, signatureOf } from "./script-report.ts";

const system = createSystemRuntime();
const tokens = new AnswerTokens(new KeyRing([system.randomBytes(32)], system), system);
const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export class ScriptHost {
  readonly scope: Scope = newScope();
  /** What the engine was given, by the id of the invocation. */
  readonly asked = new Map<string, InvocationRequest>();
  readonly records = new Map<string, Partial<InvocationRecord>>();
  readonly cancelled: string[] = [];
  readonly blobs: Blobs;
  /** The engine stores nothing any more. */
  isDead = false;
  /** The clock is so much ahead. */
  offsetMs = 0;
  /** What the check of a script says when it runs. */
  refusal: Error | undefined;
  reaped: Reaped[] = [];
  readonly #stored: TestDatabase;
  readonly #folder: string;
  #reaper: FlowReaper | undefined;
  #callbacks: ScriptCallbacks | undefined;
  #flows: OpenedFlows | undefined;

  private constructor(stored: TestDatabase, blobs: Blobs, folder: string) {
    this.#stored = stored;
    this.blobs = blobs;
    this.#folder = folder;
  }

  static async open(): Promise<ScriptHost> {
    const folder = await mkdtemp(join(tmpdir(), "plinth-scripts-"));
    const host = new ScriptHost(await openTestDatabase(), await openDiskBlobs({ folder, runtime: system }), folder);
    host.#begin();
    return host;
  }

  get flows(): OpenedFlows {
    if (this.#flows === undefined) throw new Error("the host is open");
    return this.#flows;
  }

  /** Another host on the same store. Nobody resumes anything. */
  async restart(): Promise<void> {
    await this.flows.stop();
    this.isDead = false;
    this.#begin();
  }

  async close(): Promise<void> {
    await this.flows.stop();
    await this.blobs.close();
    await this.#stored.close();
    await rm(this.#folder, { recursive: true });
  }

  async sweep(): Promise<void> {
    await this.#reaper?.sweep();
  }

  #begin(): void {
    const { database } = this.#stored;
    const runtime = this.#runtime();
    this.reaped = [];
    const parts = {
      database,
      blobs: this.blobs,
      stepLogs: new StepLogs({ database, runtime, log }),
      runtime,
      log,
      tokens,
      engine: () => this.#engine,
    };
    const values = new LargeValues({ blobs: this.blobs });
    const scripts: AsyncScripts = new AsyncScripts({ ...parts, values, callbacks: () => callbacks });
    const callbacks: ScriptCallbacks = new ScriptCallbacks({ ...parts, flows: () => this.flows });
    const options = {
      ...{ ...parts, values, asyncScripts: scripts, urls: Promise.resolve({ api: "" }) },
      scripts: {
        check: async () => {
          await Promise.resolve();
          if (this.refusal !== undefined) throw this.refusal;
        },
        flowFindings: () => Promise.resolve([]),
      },
      deploys: { version: () => Promise.resolve(undefined) },
      reaper: (given: Pick<ConstructorParameters<typeof FlowReaper>[0], "runs" | "timer">) =>
        (this.#reaper = new FlowReaper({ ...given, ...parts, scripts, onReaped: (what) => this.reaped.push(what) })),
    };
    this.#callbacks = callbacks;
    this.#flows = openFlows(options as unknown as FlowsOptions);
  }

  #runtime(): Runtime {
    return {
      nowMs: () => system.nowMs() + this.offsetMs,
      monotonicMs: () => system.monotonicMs(),
      randomBytes: (length) => system.randomBytes(length),
      random: () => system.random(),
      timer: (ms, callback) => system.timer(ms, callback),
      sleep: (ms, signal) => system.sleep(ms, signal),
    };
  }

  readonly #engine: Pick<Engine, "enqueue" | "get" | "cancel" | "invoke"> = {
    enqueue: async (request) => {
      if (this.isDead) return await new Promise(() => undefined);
      const known = [...this.asked].find(([, { idempotencyKey }]) => idempotencyKey === request.idempotencyKey);
      if (known !== undefined) return { id: known[0] };
      const id = `i${this.asked.size + 1}`;
      this.asked.set(id, request);
      this.records.set(id, { state: "running" });
      return { id };
    },
    get: async (_scope, id) => this.records.get(id) as InvocationRecord | undefined,
    cancel: async (_scope, id) => this.cancelled.push(id) > 0,
    invoke: () => new Promise(() => undefined),
  };

  async publish(node: Readonly<Record<string, unknown>>): Promise<void> {
    const definition = { format: 1, name: "f", trigger: { type: "api" }, start: "a", nodes: { a: { retry: { attempts: 1 }, ...node } } };
    await this.#stored.database.update(this.scope, async ({ records }) => {
      records.put(FLOW_VERSIONS, ["f", "v1"], { definition } as never);
      records.put(FLOWS, ["f"], { name: "f", description: "", trigger: "api", version: "v1", isOn: true, seq: 1 });
      await Promise.resolve();
    });
  }

  async start(): Promise<string> {
    const actor = { kind: "key", scopes: ["invoke"] } as const;
    return (await this.flows.start({ scope: this.scope, actor, flow: "f", input: { n: 5 }, source: "native" })).id;
  }

  /** A run that waits for its script. */
  async waiting(): Promise<string> {
    await this.publish({ type: "script", data: { code: "return inputs.n", input: { n: "=trigger.n" }, mode: "async" } });
    const id = await this.start();
    await this.untilWaiting(id);
    return id;
  }

  async untilWaiting(id: string): Promise<void> {
    await this.until(async () => (await this.run(id)).reason?.code === "awaiting_completion");
  }

  async run(id: string): Promise<RunDetail> {
    return await this.flows.run(this.scope, id);
  }

  async ended(id: string): Promise<RunDetail> {
    await this.until(async () => (await this.run(id)).endedMs !== null);
    return await this.run(id);
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    for (let look = 0; look < 4000; look += 1) {
      if (await holds()) return;
      await system.sleep(5);
    }
    throw new Error("it does not become so");
  }

  /** As another host wrote it. */
  async changeRun(id: string, change: (row: RunRow) => RunRow): Promise<void> {
    await this.#stored.database.update(this.scope, async ({ records }) => {
      const row = await records.get(FLOW_RUNS, [id]);
      if (row !== undefined) records.put(FLOW_RUNS, [id], change(row));
    });
  }

  async rows(): Promise<readonly AsyncScriptRow[]> {
    const page = { prefix: [this.scope.tenant, this.scope.branch], limit: 10 };
    const found = await this.#stored.database.read(PLATFORM_SCOPE, ({ records }) => records.range(FLOW_SCRIPTS, page));
    return found.map(({ value }) => value);
  }

  async only(): Promise<AsyncScriptRow> {
    const [row] = await this.rows();
    if (row === undefined) throw new Error("no script runs");
    return row;
  }

  async change(change: Partial<AsyncScriptRow>): Promise<void> {
    await this.#stored.database.update(this.scope, async ({ records }) => {
      const [row] = await records.range(FLOW_SCRIPTS, { prefix: [this.scope.tenant, this.scope.branch], limit: 1 });
      if (row !== undefined) records.put(FLOW_SCRIPTS, row.key, { ...row.value, ...change });
    });
  }

  /** Contexts that the collector of blobs keeps. */
  async kept(id: string): Promise<number> {
    const rows = await this.#stored.database.read(this.scope, ({ records }) => records.range(FLOW_VALUES, { prefix: [id], limit: 10 }));
    return rows.length;
  }

  token(invocation = "i1"): string {
    const { run, seed } = JSON.parse(this.asked.get(invocation)?.argsText ?? "{}") as { readonly run: string; readonly seed: string };
    return String(tokens.of({ scope: this.scope, run }, seed));
  }

  async report(token: string, report: unknown, signature?: string): Promise<void> {
    const body = JSON.stringify(report);
    await this.#callbacks?.take({ token, body, signature: signature ?? signatureOf(token, body), via: "http" });
  }
}

export function reportFor({ run, node, name }: AsyncScriptRow, more: Partial<ScriptReport> = {}): ScriptReport {
  const common = { workflow_log_id: run, script_api_name: node, s3_key: name, logs: [], execution_time_ms: 3 };
  return { ...common, success: true, result: 5, error: null, ...more };
}
