/** Makes `SnapIns`. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { SAGA_START } from "@plinth/core/policy/saga.ts";
import type { Database, KeyPart, Records, Scope, Transaction } from "../database/database.ts";
import {
  PACKAGE_VERSIONS,
  PLATFORM_SCOPE,
  QUEUES,
  SAGAS,
  SERVICE_ACCOUNTS,
  SNAP_INS,
  SNAP_INS_BY_PACKAGE,
} from "../database/record-tables.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import type { Engine } from "../engine/invocation.ts";
import type { HandlerEvents } from "../engine/handler-event.ts";
import { defineKeyringTypes } from "../keyrings/define-types.ts";
import type { CredentialTickets } from "../keyrings/credential-tickets.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { Packages, StoredPackageVersion } from "../packages/packages.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { checkUpgrade } from "./check-upgrade.ts";
import { checkBindings } from "./keyring-bindings.ts";
import { handlerEvents } from "./handler-events.ts";
import { newId } from "./ids.ts";
import { splitPath } from "../packages/handlers.ts";
import { isLive } from "./snap-in-records.ts";
import { checkInputs, resolveInputs } from "./inputs.ts";
import { SagaRunner, type SagaRunnerOptions } from "./saga-runner.ts";
import { ServiceTokens } from "./service-tokens.ts";
import { setupText } from "./setup-text.ts";
import type { EventSourceRow, SagaKind, SnapInRow } from "./snap-in-records.ts";
import type { EventSource, SagaOptions, ServiceAccount, SnapIn, SnapIns } from "./snap-ins.ts";
import { deleteSource, sourcesOf } from "./steps/event-sources.ts";
import { runHook } from "./steps/hook.ts";
import { closeUserSources, deleteUserInputs, openUserSources, setUserInputs, userInputs, type UserSourcesContext } from "./user-sources.ts";
import { SAGA_PLANS } from "./steps/table.ts";

export interface SnapInsOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly packages: Pick<Packages, "version" | "resolve">;
  readonly keyrings: Pick<Keyrings, "list" | "deliver" | "redact">;
  /** Known when the engine is made; the engine in turn takes `events`. */
  readonly engine: () => Pick<Engine, "enqueue" | "watch">;
  readonly urls: Promise<{ readonly api: string; readonly mailDomain?: string | null }>;
  readonly log: Log;
  readonly credentials?: CredentialTickets;
  /** What others keep for a snap-in: `prepare` while it still runs, `finish` when it does not any more. */
  readonly removal?: {
    readonly prepare: (scope: Scope, id: string) => Promise<void>;
    readonly finish: (scope: Scope, id: string) => Promise<void>;
  };
  readonly probe?: SagaRunnerOptions["probe"];
}

export function openSnapIns(options: SnapInsOptions): SnapIns & { readonly tokens: ServiceTokens } {
  return new StoredSnapIns(options);
}

/** What a saga is started with besides its kind. */
interface SagaRequest {
  readonly version?: string;
  readonly force?: boolean;
  readonly isDeletion?: boolean;
  readonly progress?: (text: string) => void;
}

class StoredSnapIns implements SnapIns {
  readonly events: HandlerEvents;
  readonly tokens: ServiceTokens;
  readonly #options: SnapInsOptions;
  #runner: SagaRunner | undefined;
  readonly #background = new Set<Promise<unknown>>();

  constructor(options: SnapInsOptions) {
    this.#options = options;
    const { database, runtime, packages, keyrings, urls, credentials } = options;
    this.tokens = new ServiceTokens({ database, runtime });
    this.events = handlerEvents({
      database,
      packages,
      keyrings,
      tokens: this.tokens,
      urls,
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  async install(scope: Scope, request: { readonly package: string; readonly version?: string }): Promise<SnapIn> {
    const { database, runtime } = this.#options;
    const version = await this.#version(scope, request.package, request.version);
    const nowMs = runtime.nowMs();
    const row: SnapInRow = {
      id: newId(runtime, "snapin"),
      package: request.package,
      version: version.version,
      state: "draft",
      stateReason: null,
      inputs: {},
      keyrings: {},
      serviceAccountId: null,
      tags: {},
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    await database.update(scope, async ({ records }) => {
      if ((await records.get(SNAP_INS_BY_PACKAGE, [row.package])) !== undefined)
        throw plinthError("AlreadyExists", { what: `A snap-in of the package '${row.package}'` });
      await checkRoom(records);
      await mustBeStored(records, row);
      await defineKeyringTypes(records, row.package, version.manifest.keyringTypes);
      records.put(SNAP_INS, [row.id], row);
      records.put(SNAP_INS_BY_PACKAGE, [row.package], row.id);
    });
    return await this.#shown(row, []);
  }

  async get(scope: Scope, id: string): Promise<SnapIn | undefined> {
    const found = await this.#options.database.read(scope, async (transaction) => {
      const row = await transaction.records.get(SNAP_INS, [id]);
      return row === undefined ? undefined : { row, sources: await sourcesOf(transaction, id) };
    });
    return found === undefined ? undefined : await this.#shown(found.row, found.sources);
  }

  async list(scope: Scope): Promise<readonly SnapIn[]> {
    const all = await this.#options.database.read(scope, async (transaction) => {
      const rows = await transaction.records.range(SNAP_INS, { prefix: [], limit: limit("snapInsPerBranchMax") });
      return await Promise.all(rows.map(async ({ value }) => ({ row: value, sources: await sourcesOf(transaction, value.id) })));
    });
    return await Promise.all(all.map(({ row, sources }) => this.#shown(row, sources)));
  }

  async configure(
    scope: Scope,
    id: string,
    changes: { readonly inputs?: Readonly<Record<string, unknown>>; readonly keyrings?: Readonly<Record<string, string>> },
  ): Promise<SnapIn> {
    const { database, runtime } = this.#options;
    const before = await this.#row(scope, id);
    const { manifest, version } = await this.#version(scope, before.package, before.version);
    const inputs = { ...before.inputs, ...changes.inputs };
    checkInputs(manifest.inputs.organization, inputs);
    checkBindings(manifest, changes.keyrings ?? {});
    if (before.state === "active") {
      const candidate = resolveInputs(manifest.inputs.organization, inputs);
      const { engine, packages: _, ...rest } = this.#options;
      const saga = { id: newId(runtime, "saga"), snapInId: id, kind: "activate", version, force: false, isDeletion: false } as const;
      await runHook(
        {
          ...rest,
          scope,
          snapIn: before,
          version,
          manifest,
          engine: engine(),
          saga: { ...saga, state: SAGA_START, undo: [], createdMs: runtime.nowMs() },
          signal: new AbortController().signal,
        },
        { type: "validate", payload: {}, inputs: candidate },
      );
    }
    await database.update(scope, async (transaction) => {
      const row = await this.#unlocked(transaction, id);
      if (row.updatedMs !== before.updatedMs) throw plinthError("SagaInProgress", { detail: "it was changed meanwhile" });
      transaction.records.put(SNAP_INS, [id], {
        ...row,
        inputs,
        keyrings: { ...row.keyrings, ...changes.keyrings },
        updatedMs: Math.max(runtime.nowMs(), row.updatedMs + 1),
      });
    });
    return await this.#mustGet(scope, id);
  }

  async openUser(scope: Scope, id: string, user: string, inputs: Readonly<Record<string, unknown>> = {}): Promise<SnapIn> {
    await this.#ofUser(scope, id, async (context, transaction) => {
      await setUserInputs(context, transaction, { user, inputs });
      await openUserSources(context, transaction, user);
    });
    return await this.#mustGet(scope, id);
  }

  async userInputs(scope: Scope, id: string, user: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const snapIn = await this.#row(scope, id);
    const { manifest } = await this.#version(scope, snapIn.package, snapIn.version);
    return await this.#options.database.read(scope, (transaction) => userInputs({ snapIn, manifest }, transaction, user));
  }

  async closeUser(scope: Scope, id: string, user: string): Promise<boolean> {
    return await this.#ofUser(scope, id, (context, transaction) => closeUserSources(context, transaction, user));
  }

  async #ofUser<T>(scope: Scope, id: string, change: (context: UserSourcesContext, transaction: Transaction) => Promise<T>): Promise<T> {
    const { database, runtime } = this.#options;
    const { package: name, version } = await this.#row(scope, id);
    const { manifest } = await this.#version(scope, name, version);
    return await database.update(scope, async (transaction) => {
      const snapIn = await this.#unlocked(transaction, id);
      if (snapIn.version !== version) throw plinthError("SagaInProgress", { detail: "it was changed meanwhile" });
      return await change({ snapIn, manifest, runtime }, transaction);
    });
  }

  activate(scope: Scope, id: string, options: SagaOptions = {}): Promise<SnapIn> {
    return this.#saga(scope, id, "activate", options);
  }

  deactivate(scope: Scope, id: string, options: SagaOptions & { readonly force?: boolean } = {}): Promise<SnapIn> {
    return this.#saga(scope, id, "deactivate", options);
  }

  async upgrade(scope: Scope, id: string, request: { readonly version: string } & SagaOptions): Promise<SnapIn> {
    const before = await this.#row(scope, id);
    const from = await this.#version(scope, before.package, before.version);
    const to = await this.#version(scope, before.package, request.version);
    checkUpgrade(from.manifest, to.manifest);
    if (before.state === "active") return await this.#saga(scope, id, "upgrade", { ...request, version: to.version });
    // Nothing of it runs: the version is what the next activation takes.
    const { database, runtime } = this.#options;
    await database.update(scope, async (transaction) => {
      const row = await this.#unlocked(transaction, id);
      const { records } = transaction;
      await mustBeStored(records, { package: row.package, version: to.version });
      await defineKeyringTypes(records, row.package, to.manifest.keyringTypes);
      records.put(SNAP_INS, [id], { ...row, version: to.version, updatedMs: runtime.nowMs() });
    });
    return await this.#mustGet(scope, id);
  }

  async resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined> {
    const { packages, database } = this.#options;
    const name = splitPath(path)?.name;
    if (version !== undefined || name === undefined) return await packages.resolve(scope, path, version);
    const row = await database.readKept(scope, `snap-in of a package\n${name}`, async ({ records }) => {
      const id = await records.get(SNAP_INS_BY_PACKAGE, [name]);
      return id === undefined ? undefined : await records.get(SNAP_INS, [id]);
    });
    return await packages.resolve(scope, path, row !== undefined && isLive(row) ? row.version : undefined);
  }

  async remove(scope: Scope, id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const before = await this.#row(scope, id);
    await this.#options.removal?.prepare(scope, id);
    if (before.state === "active") {
      const { state, stateReason } = await this.#saga(scope, id, "deactivate", { isDeletion: true, force });
      if (state === "active") throw plinthError("HookRefused", { hook: "deactivate", detail: stateReason ?? "it is still active" });
    }
    await this.#options.removal?.finish(scope, id);
    await this.#options.database.update(scope, async (transaction) => {
      const row = await this.#unlocked(transaction, id);
      const { records } = transaction;
      for (const source of await sourcesOf(transaction, id)) await deleteSource(transaction, source);
      await deleteUserInputs(transaction, id);
      if (row.serviceAccountId !== null) records.delete(SERVICE_ACCOUNTS, [row.serviceAccountId]);
      records.delete(QUEUES, [id]);
      records.delete(SNAP_INS_BY_PACKAGE, [row.package]);
      records.delete(SNAP_INS, [id]);
      await defineKeyringTypes(records, row.package, []);
    });
  }

  async serviceAccount(scope: Scope, id: string): Promise<ServiceAccount | undefined> {
    return await this.#options.database.read(scope, async ({ records }) => {
      const row = await records.get(SERVICE_ACCOUNTS, [id]);
      if (row === undefined) return undefined;
      const { snapInId: _, ...account } = row;
      return account;
    });
  }

  async versionsInUse({ records, scope }: Pick<Transaction, "records" | "scope">, packageName: string): Promise<ReadonlySet<string>> {
    const id = await records.get(SNAP_INS_BY_PACKAGE, [packageName]);
    if (id === undefined) return new Set();
    const row = await records.get(SNAP_INS, [id]);
    const saga = await records.get(SAGAS, [scope.tenant, scope.branch, id]);
    return new Set([row?.version, saga?.version].filter((version) => typeof version === "string"));
  }

  async endBranch(scope: Scope): Promise<void> {
    const { database } = this.#options;
    await database.update(scope, async (transaction) => {
      const { records } = transaction;
      const most = limit("snapInsPerBranchMax");
      for (const { key } of await records.range(SAGAS, { prefix: [scope.tenant, scope.branch], limit: most })) records.delete(SAGAS, key);
      for (const { value } of await records.range(SNAP_INS, { prefix: [], limit: most }))
        for (const source of await sourcesOf(transaction, value.id)) await deleteSource(transaction, source);
    });
  }

  async start(): Promise<void> {
    const { database } = this.#options;
    for (let after: readonly KeyPart[] | undefined; ;) {
      const page = await database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(SAGAS, { prefix: [], limit: 100, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key, value } of page) {
        const scope = { tenant: String(key[0]), branch: String(key[1]) };
        const running = this.#sagas()
          .run(scope, value.snapInId)
          .catch((error: unknown) => this.#notResumed(key, error))
          .finally(() => this.#background.delete(running));
        this.#background.add(running);
      }
      if (page.length < 100) return;
      after = page.at(-1)?.key;
    }
  }

  /** A saga whose snap-in is gone, with its branch or its tenant, has nothing to go on with. */
  async #notResumed(key: readonly KeyPart[], error: unknown): Promise<void> {
    const { database, log } = this.#options;
    log.warn({ error, saga: key.join("/") }, "a saga could not go on; it is taken up again at the next start if its snap-in is there");
    if (!(error instanceof PlinthError) || error.code !== "NotFound") return;
    await database
      .update(PLATFORM_SCOPE, async ({ records }) => records.delete(SAGAS, key))
      .catch((failure: unknown) => log.warn({ error: failure }, "a saga that has nothing to go on with could not be deleted"));
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
    await Promise.all(this.#background);
  }

  /** A2: the saga's row is the lock. */
  async #saga(scope: Scope, id: string, kind: SagaKind, request: SagaRequest): Promise<SnapIn> {
    const { database, runtime } = this.#options;
    const plan = SAGA_PLANS[kind];
    const locked = await database.update(scope, async (transaction) => {
      const row = await this.#unlocked(transaction, id);
      if (!plan.from.includes(row.state))
        throw plinthError("WrongState", { what: "snap-in", state: row.state, wanted: plan.from.join(" or ") });
      if (request.version !== undefined) await mustBeStored(transaction.records, { package: row.package, version: request.version });
      transaction.records.put(SNAP_INS, [id], { ...row, state: plan.while, stateReason: null, updatedMs: runtime.nowMs() });
      transaction.records.put(SAGAS, [scope.tenant, scope.branch, id], {
        id: newId(runtime, "saga"),
        snapInId: id,
        kind,
        version: request.version ?? null,
        force: request.force ?? false,
        isDeletion: request.isDeletion ?? false,
        state: SAGA_START,
        undo: [],
        createdMs: runtime.nowMs(),
      });
      return { before: row.serviceAccountId };
    });
    const row = await this.#sagas().run(scope, id, request.progress);
    const { before } = locked;
    if (before !== null && row.serviceAccountId !== before) this.tokens.forget(scope, before);
    return await this.#mustGet(scope, id);
  }

  #sagas(): SagaRunner {
    const { engine, ...rest } = this.#options;
    return (this.#runner ??= new SagaRunner({ ...rest, engine: engine() }));
  }

  async #unlocked(transaction: Transaction, id: string): Promise<SnapInRow> {
    const row = await transaction.records.get(SNAP_INS, [id]);
    if (row === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    const { tenant, branch } = transaction.scope;
    if ((await transaction.records.get(SAGAS, [tenant, branch, id])) !== undefined)
      throw plinthError("SagaInProgress", { detail: "it is being activated, deactivated or upgraded" });
    return row;
  }

  async #row(scope: Scope, id: string): Promise<SnapInRow> {
    const row = await this.#options.database.read(scope, ({ records }) => records.get(SNAP_INS, [id]));
    if (row === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    return row;
  }

  async #mustGet(scope: Scope, id: string): Promise<SnapIn> {
    const found = await this.get(scope, id);
    if (found === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    return found;
  }

  async #version(scope: Scope, name: string, version: string | undefined): Promise<StoredPackageVersion> {
    const stored = await this.#options.packages.version(scope, name, version);
    if (stored === undefined)
      throw plinthError("NotFound", {
        what: version === undefined ? `package '${name.slice(0, 64)}' on this branch` : "stored version of the package",
      });
    return stored;
  }

  async #shown(row: SnapInRow, sources: readonly EventSourceRow[]): Promise<SnapIn> {
    const urls = await this.#options.urls;
    const byName = sources.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return { ...row, eventSources: byName.map((source) => shownSource(source, urls)) };
  }
}

/** Within the transaction that refers to a version: it may have been collected since it was read. */
async function mustBeStored(records: Records, { package: name, version }: Pick<SnapInRow, "package" | "version">): Promise<void> {
  if ((await records.get(PACKAGE_VERSIONS, [name, version])) === undefined)
    throw plinthError("VersionCollected", { package: name, version: version.slice(0, 12) });
}

async function checkRoom(records: Records): Promise<void> {
  const max = limit("snapInsPerBranchMax");
  const { length } = await records.range(SNAP_INS_BY_PACKAGE, { prefix: [], limit: max });
  if (length >= max) throw plinthError("RequestTooLarge", { what: "branch", actual: `${length} installed packages`, max });
}

function shownSource(
  row: EventSourceRow,
  { api, mailDomain = null }: { readonly api: string; readonly mailDomain?: string | null },
): EventSource {
  const takesEmails = row.type === "email-forward";
  const triggerUrl = row.token === null ? null : `${api}/v1/${takesEmails ? "email" : "events"}/${row.token}`;
  const emailAddress = row.token === null || mailDomain === null || !takesEmails ? null : `${row.token}@${mailDomain}`;
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    owner: row.user === null ? {} : { user: row.user },
    triggerUrl,
    emailAddress,
    setupInstructions: setupText(row, { triggerUrl, emailAddress }),
  };
}
