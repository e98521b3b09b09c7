/**
 * Makes `Deploys`. A deploy checks the package in a jail, prepares its schema and warms its code while the old
 * version serves, and then moves the head.
 *
 * V1 Head, schema, crons, ledger and version change in one transaction, after the artefacts were stored: a branch is never half deployed.
 * V2 A version's functions come from its analysis in a jail and are checked again; nothing of the package is
 *    evaluated in the host.
 * V3 When a deploy is acknowledged, the next call sees its version.
 */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { parseCrons, type CronJob } from "@plinth/core/schedules/crons.ts";
import type { Database, PreparedSchema, Scope, Transaction } from "../database/database.ts";
import { ENVIRONMENT, HEADS, VERSION_LEDGER, VERSIONS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Stopwatch } from "../runtime/stopwatch.ts";
import type { Sandbox, VersionCode } from "../sandbox/sandbox.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { digestOf, putArtefacts, readArtefact } from "./artefacts.ts";
import { BranchCache, keyOf, type BranchState } from "./branch-cache.ts";
import { checkAnalysis, type Analysis } from "./check-analysis.ts";
import type { DeployOptions, DeployRequest, DeployResult, Deploys, ResolvedFunction } from "./deploys.ts";
import { checkVariables } from "./environment.ts";
import { dropOldVersions } from "./kept-versions.ts";
import { canonicalPath, FunctionTable } from "./function-table.ts";
import { parseAnalysis } from "./parse-analysis.ts";
import { Turns } from "./turns.ts";
import type { ArtefactKind, StoredVersion } from "./version-records.ts";

export interface DeploysOptions {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly sandbox: Sandbox;
  readonly runtime: Runtime;
  /** Makes the crons of a branch those of its new version, within the transaction that moves the head. */
  readonly applyCrons: (transaction: Transaction, crons: readonly CronJob[]) => Promise<void>;
  /** Where clients reach the host, for the variables that it sets; known when its ports are open. */
  readonly urls: Promise<{ readonly api: string; readonly site: string }>;
}

export function openDeploys(options: DeploysOptions): Deploys {
  return new StoredDeploys(options);
}

const HEAD_KEY = ["head"] as const;

interface Candidate {
  readonly digest: string;
  readonly request: DeployRequest;
  readonly analysis: Analysis;
  readonly crons: readonly CronJob[];
  readonly code: PendingCode;
}

interface Activation {
  readonly candidate: Candidate;
  readonly prepared: PreparedSchema;
  readonly by: string;
}

/** The code of a version that is being deployed. Once it is stored, the texts are given up and read from there. */
class PendingCode implements VersionCode {
  readonly digest: string;
  readonly #stored: () => Promise<VersionCode>;
  #texts: { readonly script: string; readonly sourceMap: string | null } | undefined;

  constructor(
    version: { readonly digest: string; readonly script: string; readonly sourceMap: string | null },
    stored: () => Promise<VersionCode>,
  ) {
    this.digest = version.digest;
    this.#texts = { script: version.script, sourceMap: version.sourceMap };
    this.#stored = stored;
  }

  readonly script = async (): Promise<string> => this.#texts?.script ?? (await (await this.#stored()).script());
  readonly sourceMap = async (): Promise<string | null> =>
    this.#texts === undefined ? await (await this.#stored()).sourceMap() : this.#texts.sourceMap;

  release(): void {
    this.#texts = undefined;
  }
}

class StoredDeploys implements Deploys {
  readonly #options: DeploysOptions;
  readonly #branches: BranchCache;
  readonly #turns = new Turns();
  /** Functions of versions that calls in progress began with; the oldest are dropped. */
  readonly #older = new Map<string, Promise<FunctionTable | undefined>>();

  constructor(options: DeploysOptions) {
    this.#options = options;
    this.#branches = new BranchCache((scope) => this.#load(scope));
  }

  async resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined> {
    const head = (await this.#branches.get(scope)).functions;
    if (version === undefined || head?.version.digest === version) return head?.resolve(path);
    return ((await this.#olderVersion(scope, version)) ?? head)?.resolve(path);
  }

  async version(scope: Scope, digest?: string): Promise<VersionCode | undefined> {
    const head = (await this.#branches.get(scope)).functions?.version;
    if (digest === undefined || head?.digest === digest) return head;
    const stored = await this.#options.database.read(scope, (transaction) => transaction.records.get(VERSIONS, [digest]));
    return stored === undefined ? undefined : this.#codeOf(scope, stored);
  }

  async environment(scope: Scope): Promise<Readonly<Record<string, string>>> {
    return (await this.#branches.get(scope)).environment;
  }

  async list(scope: Scope) {
    return (await this.#branches.get(scope)).functions?.list() ?? [];
  }

  async operations(scope: Scope) {
    const { functions } = await this.#branches.get(scope);
    return (await functions?.operations(() => this.#options.runtime.sleep(0))) ?? [];
  }

  async setEnvironment(scope: Scope, changes: Readonly<Record<string, string | null>>): Promise<void> {
    checkVariables(changes);
    const max = limit("environmentVariablesMax");
    await this.#options.database.update(scope, async ({ records }) => {
      const names = new Set((await records.range(ENVIRONMENT, { prefix: [], limit: max })).map((row) => String(row.key[0])));
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) {
          names.delete(name);
          records.delete(ENVIRONMENT, [name]);
        } else {
          names.add(name);
          records.put(ENVIRONMENT, [name], value);
        }
      }
      if (names.size > max) throw plinthError("RequestTooLarge", { what: "environment", actual: `${names.size} variables`, max });
    });
    this.#branches.forget(scope);
  }

  async forget(scope: Scope): Promise<void> {
    await this.#turns.take(keyOf(scope), () => Promise.resolve());
    this.#branches.forget(scope);
    const [, branch = ""] = keyOf(scope).split("|");
    for (const key of this.#older.keys()) if (key.startsWith(`fn:${scope.tenant}/`) && key.endsWith(`|${branch}`)) this.#older.delete(key);
  }

  async deploy(scope: Scope, request: DeployRequest, options: DeployOptions = {}): Promise<DeployResult> {
    return await this.#turns.take(keyOf(scope), () => this.#deployNow(scope, request, options));
  }

  async #deployNow(scope: Scope, request: DeployRequest, { by = "admin", progress = () => {} }: DeployOptions): Promise<DeployResult> {
    const watch = new Stopwatch(this.#options.runtime);
    const current = (await this.#branches.get(scope)).functions;
    const digest = digestOf(request.script);
    if (current?.version.digest === digest) {
      return { version: digest, changed: false, functions: current.list(), indexesAdded: [], indexesRemoved: [], timings: watch.timings };
    }
    progress("Analysing the functions in a jail");
    const candidate = await watch.measure("analyzeMs", () => this.#analyze(scope, digest, request));
    progress("Preparing the schema");
    const { database } = this.#options;
    const prepared = await watch.measure("schemaMs", () => database.prepareSchema(scope, candidate.analysis.schemaText, progress));
    let activated = false;
    try {
      if (request.dryRun !== true) {
        await this.#serve(scope, { candidate, prepared, by, progress, watch });
        activated = true;
      }
    } finally {
      if (!activated) await database.discardSchema(scope, prepared);
    }
    const { indexesAdded, indexesRemoved } = prepared;
    return { version: digest, changed: true, functions: listOf(candidate.analysis), indexesAdded, indexesRemoved, timings: watch.timings };
  }

  /** Warms the candidate and moves the head to it. */
  async #serve(scope: Scope, step: Activation & { readonly progress: (text: string) => void; readonly watch: Stopwatch }): Promise<void> {
    const { candidate, prepared, by, progress, watch } = step;
    const { script, sourceMap } = candidate.request;
    progress("Warming the new version");
    const [blobs] = await watch.measure("warmMs", () =>
      Promise.all([
        putArtefacts(this.#options.blobs, scope.tenant, { script, sourceMap, analysis: JSON.stringify(candidate.analysis) }),
        this.#options.sandbox.warm({ ...scope, version: candidate.code }),
      ]),
    );
    await watch.measure("commitMs", () => this.#activate(scope, { candidate, prepared, by }, blobs));
    this.#branches.forget(scope);
    candidate.code.release();
    progress("The new version serves");
  }

  async #analyze(scope: Scope, digest: string, request: DeployRequest): Promise<Candidate> {
    const { script, sourceMap } = request;
    const code = new PendingCode({ digest, script, sourceMap }, async () =>
      must(await this.version(scope, digest), "a released version is stored"),
    );
    const env = await this.environment(scope);
    const { sandbox, runtime } = this.#options;
    const analysis = await checkAnalysis(await sandbox.analyze({ tenant: scope.tenant, version: code, env }), () => runtime.sleep(0));
    return { digest, request, analysis, crons: checkCrons(analysis), code };
  }

  /** V1 */
  async #activate(scope: Scope, { candidate, prepared, by }: Activation, blobs: StoredVersion["blobs"]): Promise<void> {
    const { database, runtime, applyCrons } = this.#options;
    const atMs = runtime.nowMs();
    await database.update(scope, async (transaction) => {
      const { records } = transaction;
      const head = await records.get(HEADS, HEAD_KEY);
      const seq = (head?.seq ?? 0) + 1;
      records.put(VERSIONS, [candidate.digest], { digest: candidate.digest, createdMs: atMs, blobs });
      records.put(HEADS, HEAD_KEY, { version: candidate.digest, seq, deployedMs: atMs });
      records.put(VERSION_LEDGER, [seq], {
        seq,
        version: candidate.digest,
        parent: head?.version ?? null,
        atMs,
        by,
        note: candidate.request.note ?? null,
      });
      await database.activateSchema(transaction, prepared);
      await applyCrons(transaction, candidate.crons);
      await dropOldVersions(transaction, { head: candidate.digest, nowMs: atMs });
    });
  }

  #olderVersion(scope: Scope, digest: string): Promise<FunctionTable | undefined> {
    const key = keyOf(scope, digest);
    const known = this.#older.get(key);
    if (known !== undefined) return known;
    const loading = this.#loadOlder(scope, digest);
    this.#older.set(key, loading);
    loading.catch(() => this.#older.delete(key));
    for (const oldest of this.#older.keys()) {
      if (this.#older.size <= limit("cachedOlderVersionsMax")) break;
      this.#older.delete(oldest);
    }
    return loading;
  }

  async #loadOlder(scope: Scope, digest: string): Promise<FunctionTable | undefined> {
    const stored = await this.#options.database.read(scope, ({ records }) => records.get(VERSIONS, [digest]));
    if (stored === undefined) return undefined;
    const analysis = must(await this.#read(scope, stored, "analysis"), "a version has its analysis");
    return new FunctionTable(this.#codeOf(scope, stored), parseAnalysis(analysis));
  }

  #read(scope: Scope, stored: StoredVersion, kind: ArtefactKind): Promise<string | null> {
    return readArtefact(this.#options.blobs, scope.tenant, stored, kind);
  }

  async #load(scope: Scope): Promise<BranchState> {
    const { api, site } = await this.#options.urls;
    return await this.#options.database.read(scope, async (transaction) => {
      const { records } = transaction;
      const head = await records.get(HEADS, HEAD_KEY);
      const variables = await records.range(ENVIRONMENT, { prefix: [], limit: limit("environmentVariablesMax") });
      const prefix = scope.tenant === "default" ? "" : `/t/${scope.tenant}`;
      const environment = {
        ...Object.fromEntries(variables.map((row) => [String(row.key[0]), row.value])),
        CONVEX_CLOUD_URL: api + prefix,
        CONVEX_SITE_URL: site + prefix,
      };
      if (head === undefined) return { functions: undefined, environment, bytes: 0 };
      const stored = must(await records.get(VERSIONS, [head.version]), "the version at the head is stored");
      const text = must(await this.#read(scope, stored, "analysis"), "a version has its analysis");
      return { functions: new FunctionTable(this.#codeOf(scope, stored), parseAnalysis(text)), environment, bytes: text.length };
    });
  }

  #codeOf(scope: Scope, stored: StoredVersion): VersionCode {
    const read = (kind: "script" | "sourceMap") => this.#read(scope, stored, kind);
    return {
      digest: stored.digest,
      script: async () => must(await read("script"), "a version has its script"),
      sourceMap: () => read("sourceMap"),
    };
  }
}

/** Parses the crons and checks that each calls a mutation or action of the same version. */
function checkCrons(analysis: Analysis): readonly CronJob[] {
  if (analysis.cronsText === null) return [];
  const kinds = new Map(analysis.functions.map(({ path, kind }) => [path, kind]));
  return parseCrons(analysis.cronsText).map((job) => {
    const functionPath = canonicalPath(job.functionPath);
    const kind = kinds.get(functionPath);
    if (kind === undefined)
      throw plinthError("InvalidPackage", {
        detail: `the cron job '${job.name}' calls '${job.functionPath}', and there is no such function.`,
      });
    if (kind !== "mutation" && kind !== "action")
      throw plinthError("InvalidPackage", {
        detail: `the cron job '${job.name}' calls '${job.functionPath}', which is no mutation or action.`,
      });
    return { ...job, functionPath };
  });
}

function listOf(analysis: Analysis): DeployResult["functions"] {
  return analysis.functions.map(({ path, kind, visibility }) => ({ path, kind, visibility }));
}
