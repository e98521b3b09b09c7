/**
 * Who may start now, and who waits for what. Decides only: no clock, no timer, no promise. The caller owns
 * the state, feeds events in, and carries the decisions out. The state is changed in place, because a copy per
 * call would cost more than the call.
 *
 * A place belongs to a group: queries and mutations share the host's `transaction` places, actions have their
 * own, so that an action never waits for a place that its own callees need.
 *
 * A1 No tenant runs more than its limit in a lane, and no group more than the host's places.
 * A2 Nothing waits that could run: a waiting ticket has its tenant's lane or the group full.
 * A3 Tickets of one tenant, lane and priority start in the order of their arrival.
 * A4 Among tenants that wait with the same priority, one with the fewest running calls is next, and among
 *    equals the one that was served longest ago: no tenant's backlog delays another's first call.
 * A5 Nobody starves: of the places that become free, each priority that waits gets at least its weight's share.
 * A6 The queue is bounded per tenant and in all; each ticket ends exactly once: started, refused, expired or left.
 */
import { assert, must } from "../assert.ts";
import { MinHeap } from "./min-heap.ts";

export type Lane = "query" | "mutation" | "action";
export type Group = "transaction" | "action";
export type AdmissionPriority = "interactive" | "normal" | "background";

export interface AdmissionLimits {
  readonly perTenant: Readonly<Record<Lane, number>>;
  /** What a tenant has instead, where that is less. */
  readonly tenantMax?: (tenant: string) => number | undefined;
  readonly host: Readonly<Record<Group, number>>;
  readonly queueEntriesPerTenantMax: number;
  readonly queueEntriesMax: number;
}

export interface Ticket {
  /** Grows with each ticket. */
  readonly id: number;
  readonly tenant: string;
  readonly lane: Lane;
  readonly priority: AdmissionPriority;
  /** When it no longer wants to wait; absent = it waits as long as it takes. */
  readonly expiresAtMs?: number;
}

export type AdmissionWait = "tenantQueries" | "tenantMutations" | "tenantActions" | "hostCapacity";

export type AdmissionEvent =
  | { readonly type: "arrive"; readonly ticket: Ticket }
  /** A started ticket gives its place back. */
  | { readonly type: "finish"; readonly ticket: Ticket }
  /** A waiting ticket gives up; nothing happens when it does not wait. */
  | { readonly type: "leave"; readonly id: number }
  | { readonly type: "expire"; readonly nowMs: number };

export type AdmissionDecision =
  | { readonly type: "start"; readonly ticket: Ticket }
  | { readonly type: "wait"; readonly ticket: Ticket; readonly reason: AdmissionWait }
  | { readonly type: "refuse"; readonly ticket: Ticket; readonly full: "tenant" | "host" }
  | { readonly type: "expired"; readonly ticket: Ticket; readonly reason: AdmissionWait };

/** Share of the places that become free while all priorities wait: 16 to 4 to 1. */
const STRIDE: Readonly<Record<AdmissionPriority, number>> = { interactive: 1, normal: 4, background: 16 };
const PRIORITIES: readonly AdmissionPriority[] = ["interactive", "normal", "background"];
const LANES: Readonly<Record<Group, readonly Lane[]>> = { transaction: ["query", "mutation"], action: ["action"] };
const TENANT_WAIT: Readonly<Record<Lane, AdmissionWait>> = { query: "tenantQueries", mutation: "tenantMutations", action: "tenantActions" };

/** Waiting tickets of one tenant and priority; a Map keeps them in the order of arrival. */
type Line = Record<Lane, Map<number, Ticket>>;

interface GroupState {
  running: number;
  readonly waiting: Readonly<Record<AdmissionPriority, Map<string, Line>>>;
  /** Stride scheduling: the eligible priority with the lowest pass is next. */
  readonly pass: Record<AdmissionPriority, number>;
}

interface TenantState {
  readonly running: Record<Lane, number>;
  waiting: number;
  /** Turn at which a ticket of it was last taken from the queue. */
  servedTurn: number;
}

export interface AdmissionState {
  readonly limits: AdmissionLimits;
  readonly groups: Readonly<Record<Group, GroupState>>;
  readonly tenants: Map<string, TenantState>;
  readonly waiting: Map<number, Ticket>;
  readonly expiries: MinHeap<{ readonly id: number; readonly atMs: number }>;
  turn: number;
}

export function newAdmission(limits: AdmissionLimits): AdmissionState {
  for (const value of [...Object.values(limits.perTenant), ...Object.values(limits.host)]) assert(value >= 1, "each lane has a place");
  return {
    limits,
    groups: { transaction: newGroup(), action: newGroup() },
    tenants: new Map(),
    waiting: new Map(),
    expiries: new MinHeap((a, b) => a.atMs - b.atMs),
    turn: 0,
  };
}

/** Takes one event and says what follows from it, in order. */
export function admission(state: AdmissionState, event: AdmissionEvent): AdmissionDecision[] {
  switch (event.type) {
    case "arrive":
      return [arrive(state, event.ticket)];
    case "finish":
      return finish(state, event.ticket);
    case "leave":
      dequeue(state, event.id);
      return [];
    case "expire":
      return expire(state, event.nowMs);
  }
}

/** When the next waiting ticket expires. */
export function nextExpiryMs(state: AdmissionState): number | undefined {
  for (;;) {
    const first = state.expiries.peek();
    if (first === undefined || state.waiting.has(first.id)) return first?.atMs;
    state.expiries.pop();
  }
}

/** What a ticket waits for at this moment. */
export function waitReason(state: AdmissionState, ticket: Ticket): AdmissionWait {
  return tenantIsFull(state, ticket.tenant, ticket.lane) ? TENANT_WAIT[ticket.lane] : "hostCapacity";
}

export function groupOf(lane: Lane): Group {
  return lane === "action" ? "action" : "transaction";
}

function arrive(state: AdmissionState, ticket: Ticket): AdmissionDecision {
  const tenant = tenantState(state, ticket.tenant);
  if (hostHasPlace(state, groupOf(ticket.lane)) && !tenantIsFull(state, ticket.tenant, ticket.lane)) {
    return start(state, ticket);
  }
  if (tenant.waiting >= state.limits.queueEntriesPerTenantMax) return refuse(state, ticket, "tenant");
  if (state.waiting.size >= state.limits.queueEntriesMax) return refuse(state, ticket, "host");
  enqueue(state, ticket, tenant);
  return { type: "wait", ticket, reason: waitReason(state, ticket) };
}

function refuse(state: AdmissionState, ticket: Ticket, full: "tenant" | "host"): AdmissionDecision {
  forgetIdleTenant(state, ticket.tenant);
  return { type: "refuse", ticket, full };
}

function finish(state: AdmissionState, ticket: Ticket): AdmissionDecision[] {
  const group = groupOf(ticket.lane);
  const tenant = must(state.tenants.get(ticket.tenant), "a running ticket has a tenant");
  tenant.running[ticket.lane]--;
  state.groups[group].running--;
  assert(tenant.running[ticket.lane] >= 0 && state.groups[group].running >= 0, "a place is given back once");
  const decisions: AdmissionDecision[] = [];
  while (hostHasPlace(state, group)) {
    const next = pick(state, group);
    if (next === undefined) break;
    dequeue(state, next.id);
    decisions.push(start(state, next));
  }
  forgetIdleTenant(state, ticket.tenant);
  return decisions;
}

function expire(state: AdmissionState, nowMs: number): AdmissionDecision[] {
  const decisions: AdmissionDecision[] = [];
  for (let at = nextExpiryMs(state); at !== undefined && at <= nowMs; at = nextExpiryMs(state)) {
    const { id } = must(state.expiries.pop(), "the next expiry is in the heap");
    const ticket = must(state.waiting.get(id), "a ticket that expires waits");
    const reason = waitReason(state, ticket);
    dequeue(state, id);
    decisions.push({ type: "expired", ticket, reason });
  }
  return decisions;
}

function start(state: AdmissionState, ticket: Ticket): AdmissionDecision {
  tenantState(state, ticket.tenant).running[ticket.lane]++;
  state.groups[groupOf(ticket.lane)].running++;
  return { type: "start", ticket };
}

function pick(state: AdmissionState, groupName: Group): Ticket | undefined {
  const group = state.groups[groupName];
  let best: { readonly priority: AdmissionPriority; readonly ticket: Ticket } | undefined;
  for (const priority of PRIORITIES) {
    if (best !== undefined && group.pass[best.priority] <= group.pass[priority]) continue;
    const ticket = pickOfPriority(state, groupName, priority);
    if (ticket !== undefined) best = { priority, ticket };
  }
  if (best === undefined) return undefined;
  const { priority, ticket } = best;
  // A priority that was idle gets no credit for it: nobody starts further back than the one who is served now.
  const floor = group.pass[priority];
  for (const each of PRIORITIES) group.pass[each] = Math.max(group.pass[each], floor) - floor;
  group.pass[priority] += STRIDE[priority];
  tenantState(state, ticket.tenant).servedTurn = ++state.turn;
  return ticket;
}

function pickOfPriority(state: AdmissionState, groupName: Group, priority: AdmissionPriority): Ticket | undefined {
  let best: Ticket | undefined;
  let bestTenant: TenantState | undefined;
  for (const [name, line] of state.groups[groupName].waiting[priority]) {
    const tenant = must(state.tenants.get(name), "a waiting tenant is known");
    if (bestTenant !== undefined && !goesFirst(tenant, bestTenant, groupName)) continue;
    const ticket = firstThatMayRun(state, name, line, groupName);
    if (ticket === undefined) continue;
    best = ticket;
    bestTenant = tenant;
  }
  return best;
}

function goesFirst(a: TenantState, b: TenantState, group: Group): boolean {
  const [runningA, runningB] = [runningIn(a, group), runningIn(b, group)];
  return runningA === runningB ? a.servedTurn < b.servedTurn : runningA < runningB;
}

function firstThatMayRun(state: AdmissionState, tenant: string, line: Line, group: Group): Ticket | undefined {
  let first: Ticket | undefined;
  for (const lane of LANES[group]) {
    if (tenantIsFull(state, tenant, lane)) continue;
    const head = line[lane].values().next().value;
    if (head !== undefined && (first === undefined || head.id < first.id)) first = head;
  }
  return first;
}

function enqueue(state: AdmissionState, ticket: Ticket, tenant: TenantState): void {
  const lines = state.groups[groupOf(ticket.lane)].waiting[ticket.priority];
  let line = lines.get(ticket.tenant);
  if (line === undefined) lines.set(ticket.tenant, (line = { query: new Map(), mutation: new Map(), action: new Map() }));
  line[ticket.lane].set(ticket.id, ticket);
  state.waiting.set(ticket.id, ticket);
  tenant.waiting++;
  if (ticket.expiresAtMs === undefined) return;
  // Tickets that left stay in the heap until their time; this keeps them from piling up.
  if (state.expiries.size > 2 * state.waiting.size + 64) state.expiries.prune((each) => state.waiting.has(each.id));
  state.expiries.push({ id: ticket.id, atMs: ticket.expiresAtMs });
}

function dequeue(state: AdmissionState, id: number): void {
  const ticket = state.waiting.get(id);
  if (ticket === undefined) return;
  state.waiting.delete(id);
  const lines = state.groups[groupOf(ticket.lane)].waiting[ticket.priority];
  const line = must(lines.get(ticket.tenant), "a waiting ticket is in a line");
  line[ticket.lane].delete(id);
  if (line.query.size + line.mutation.size + line.action.size === 0) lines.delete(ticket.tenant);
  must(state.tenants.get(ticket.tenant), "a waiting tenant is known").waiting--;
  forgetIdleTenant(state, ticket.tenant);
}

function hostHasPlace(state: AdmissionState, group: Group): boolean {
  return state.groups[group].running < state.limits.host[group];
}

function tenantIsFull(state: AdmissionState, tenant: string, lane: Lane): boolean {
  return (
    (state.tenants.get(tenant)?.running[lane] ?? 0) >= Math.min(state.limits.perTenant[lane], state.limits.tenantMax?.(tenant) ?? Infinity)
  );
}

function runningIn(tenant: TenantState, group: Group): number {
  return group === "action" ? tenant.running.action : tenant.running.query + tenant.running.mutation;
}

function tenantState(state: AdmissionState, name: string): TenantState {
  let tenant = state.tenants.get(name);
  if (tenant === undefined)
    state.tenants.set(name, (tenant = { running: { query: 0, mutation: 0, action: 0 }, waiting: 0, servedTurn: 0 }));
  return tenant;
}

function forgetIdleTenant(state: AdmissionState, name: string): void {
  const tenant = state.tenants.get(name);
  if (tenant === undefined || tenant.waiting > 0) return;
  if (tenant.running.query + tenant.running.mutation + tenant.running.action === 0) state.tenants.delete(name);
}

function newGroup(): GroupState {
  return {
    running: 0,
    waiting: { interactive: new Map(), normal: new Map(), background: new Map() },
    pass: { interactive: 0, normal: 0, background: 0 },
  };
}
