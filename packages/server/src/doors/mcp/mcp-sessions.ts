/**
 * The sessions of all agents. They live in memory: one that is unknown (after a restart, or of somebody else) does not exist, and
 * its client begins another, as the protocol has it.
 *
 * N1 A session belongs to the key or service account that began it, on its tenant and branch.
 * N2 Sessions are bounded for each tenant; the one that nobody used for longest makes room.
 * N3 When what a branch has may have changed, its sessions are told, once for what changes at about the same time.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../../database/database.ts";
import type { Caller, DoorContext } from "../door.ts";
import type { McpSession } from "./mcp-session.ts";
import { scopesWithChanges } from "./operation-changes.ts";

interface Entry {
  readonly owner: string;
  readonly scope: Scope;
  readonly session: McpSession;
  idle: { cancel(): void };
}

export class McpSessions {
  readonly #context: DoorContext;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Branches whose sessions are about to be told. */
  readonly #changed = new Map<string, { cancel(): void }>();
  readonly #stopListening: () => void;
  #closed = false;

  constructor(context: DoorContext) {
    this.#context = context;
    this.#stopListening = context.commits.onCommit((commit) => {
      if (this.#entries.size === 0) return;
      for (const scope of scopesWithChanges(commit, this.#scopes())) this.#noteChange(scope);
    });
  }

  async open(caller: Caller): Promise<McpSession> {
    if (this.#closed) throw plinthError("ShuttingDown", {});
    const { openSession } = await import("./mcp-session.ts");
    const id = Buffer.from(this.#context.runtime.randomBytes(16)).toString("hex");
    const session = await openSession(this.#context, id, () => this.#forget(id));
    this.#makeRoom(caller.scope.tenant);
    this.#entries.set(id, { owner: ownerOf(caller), scope: caller.scope, session, idle: this.#idle(id) });
    return session;
  }

  /** N1 */
  find(id: string, caller: Caller): McpSession | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.owner !== ownerOf(caller)) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.idle.cancel();
    entry.idle = this.#idle(id);
    return entry.session;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    for (const timer of this.#changed.values()) timer.cancel();
    await Promise.all([...this.#entries.values()].map(({ session }) => session.close()));
  }

  /** Each branch that has sessions, once. */
  #scopes(): Iterable<Scope> {
    return new Map([...this.#entries.values()].map(({ scope }) => [keyOf(scope), scope])).values();
  }

  /** N3 */
  #noteChange(scope: Scope): void {
    const key = keyOf(scope);
    if (this.#changed.has(key)) return;
    const timer = this.#context.runtime.timer(limit("mcpToolsChangedMs"), () => {
      this.#changed.delete(key);
      for (const entry of this.#entries.values()) if (keyOf(entry.scope) === key) entry.session.toolsChanged();
    });
    this.#changed.set(key, timer);
  }

  /** N2 */
  #makeRoom(tenant: string): void {
    const own = [...this.#entries.values()].filter(({ scope }) => scope.tenant === tenant);
    if (own.length < limit("mcpSessionsPerTenantMax")) return;
    const unused = own.find(({ session }) => session.busy === 0);
    if (unused === undefined) throw plinthError("TooManyConcurrentRequests", { detail: "all sessions of agents are at work" });
    void unused.session.close();
  }

  #idle(id: string): { cancel(): void } {
    return this.#context.runtime.timer(limit("mcpSessionIdleMs"), () => {
      const entry = this.#entries.get(id);
      if (entry === undefined) return;
      if (entry.session.busy > 0) entry.idle = this.#idle(id);
      else void entry.session.close();
    });
  }

  #forget(id: string): void {
    this.#entries.get(id)?.idle.cancel();
    this.#entries.delete(id);
  }
}

function keyOf({ tenant, branch }: Scope): string {
  return `${tenant}/${branch}`;
}

function ownerOf({ actor, scope }: Caller): string {
  return JSON.stringify([
    scope.tenant,
    scope.branch,
    actor.kind,
    actor.keyId ?? null,
    actor.service?.account ?? null,
    actor.service?.user ?? null,
  ]);
}
