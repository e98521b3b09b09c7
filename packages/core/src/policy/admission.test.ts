import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admission, groupOf, newAdmission, nextExpiryMs, waitReason } from "./admission.ts";
import type { AdmissionDecision, AdmissionEvent, AdmissionLimits, AdmissionPriority, AdmissionState, Lane, Ticket } from "./admission.ts";

const LIMITS: AdmissionLimits = {
  perTenant: { query: 2, mutation: 2, action: 3 },
  host: { transaction: 4, action: 4 },
  queueEntriesPerTenantMax: 5,
  queueEntriesMax: 12,
};
const LANES: readonly Lane[] = ["query", "mutation", "action"];
const PRIORITIES: readonly AdmissionPriority[] = ["interactive", "normal", "background"];

type Step =
  | {
      readonly do: "arrive";
      readonly tenant: string;
      readonly lane: Lane;
      readonly priority: AdmissionPriority;
      readonly patienceMs: number;
    }
  | { readonly do: "finish" | "leave"; readonly pick: number }
  | { readonly do: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      tenant: fc.constantFrom("a", "b", "c"),
      lane: fc.constantFrom(...LANES),
      priority: fc.constantFrom(...PRIORITIES),
      patienceMs: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 40 }) }) },
);

/** Runs the steps beside a simple model of what may run, and checks the rules after each. */
class Model {
  readonly state = newAdmission(LIMITS);
  readonly running = new Map<number, Ticket>();
  readonly waiting = new Map<number, Ticket>();
  readonly ended = new Set<number>();
  nowMs = 0;
  #lastId = 0;

  run(each: Step): void {
    switch (each.do) {
      case "arrive": {
        const ticket: Ticket = {
          id: ++this.#lastId,
          tenant: each.tenant,
          lane: each.lane,
          priority: each.priority,
          expiresAtMs: this.nowMs + each.patienceMs,
        };
        this.waiting.set(ticket.id, ticket);
        return this.#apply({ type: "arrive", ticket });
      }
      case "finish": {
        const ticket = [...this.running.values()][each.pick % Math.max(1, this.running.size)];
        if (ticket === undefined) return;
        this.running.delete(ticket.id);
        return this.#apply({ type: "finish", ticket });
      }
      case "leave": {
        const ticket = [...this.waiting.values()][each.pick % Math.max(1, this.waiting.size)];
        if (ticket === undefined) return;
        this.#end(ticket);
        return this.#apply({ type: "leave", id: ticket.id });
      }
      case "wait":
        this.nowMs += each.ms;
        return this.#apply({ type: "expire", nowMs: this.nowMs });
    }
  }

  #apply(event: AdmissionEvent): void {
    for (const decision of admission(this.state, event)) this.#record(decision);
    this.#check();
  }

  #record(decision: AdmissionDecision): void {
    const { ticket } = decision;
    expect(this.waiting.has(ticket.id), "A6: only a waiting ticket is decided on").toBe(true);
    switch (decision.type) {
      case "start": {
        const earlier = [...this.waiting.values()].filter(
          (each) => each.tenant === ticket.tenant && each.lane === ticket.lane && each.priority === ticket.priority && each.id < ticket.id,
        );
        expect(earlier, "A3: in the order of arrival").toEqual([]);
        this.waiting.delete(ticket.id);
        this.running.set(ticket.id, ticket);
        return;
      }
      case "wait":
        return;
      case "refuse":
        return this.#end(ticket);
      case "expired":
        expect(ticket.expiresAtMs).toBeLessThanOrEqual(this.nowMs);
        return this.#end(ticket);
    }
  }

  #end(ticket: Ticket): void {
    expect(this.ended.has(ticket.id), "A6: ends once").toBe(false);
    this.ended.add(ticket.id);
    this.waiting.delete(ticket.id);
  }

  #check(): void {
    const running = [...this.running.values()];
    const count = (tenant: string, lane: Lane): number => running.filter((each) => each.tenant === tenant && each.lane === lane).length;
    const inGroup = (lane: Lane): number => running.filter((each) => groupOf(each.lane) === groupOf(lane)).length;
    for (const lane of LANES) {
      expect(inGroup(lane), "A1: host").toBeLessThanOrEqual(LIMITS.host[groupOf(lane)]);
      for (const tenant of ["a", "b", "c"]) expect(count(tenant, lane), "A1: tenant").toBeLessThanOrEqual(LIMITS.perTenant[lane]);
    }
    for (const ticket of this.waiting.values()) {
      const tenantFull = count(ticket.tenant, ticket.lane) >= LIMITS.perTenant[ticket.lane];
      const hostFull = inGroup(ticket.lane) >= LIMITS.host[groupOf(ticket.lane)];
      expect(tenantFull || hostFull, "A2: nothing waits that could run").toBe(true);
      expect(waitReason(this.state, ticket) === "hostCapacity", "the reason is true").toBe(!tenantFull);
    }
    expect(this.waiting.size, "A6: bounded").toBeLessThanOrEqual(LIMITS.queueEntriesMax);
    const expiries = [...this.waiting.values()].map((each) => each.expiresAtMs ?? Infinity);
    expect(nextExpiryMs(this.state)).toBe(expiries.length === 0 ? undefined : Math.min(...expiries));
  }
}

test("A1 A2 A3 A6 hold for any order of events, and nothing is left behind", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const model = new Model();
      for (const each of steps) model.run(each);
      while (model.running.size > 0) model.run({ do: "finish", pick: 0 });
      expect(model.waiting.size).toBe(0);
      expect(model.state.tenants.size).toBe(0);
      expect(model.state.groups.transaction.running + model.state.groups.action.running).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** One place, and a queue that is never empty: shows the order in which tickets start. */
function order(tickets: readonly { tenant: string; priority?: AdmissionPriority }[]): string[] {
  const state = newAdmission({ ...LIMITS, host: { transaction: 1, action: 1 }, queueEntriesMax: 1000, queueEntriesPerTenantMax: 1000 });
  const blocker: Ticket = { id: 0, tenant: "blocker", lane: "query", priority: "interactive" };
  admission(state, { type: "arrive", ticket: blocker });
  tickets.forEach((each, index) => {
    admission(state, {
      type: "arrive",
      ticket: { id: index + 1, tenant: each.tenant, lane: "query", priority: each.priority ?? "interactive" },
    });
  });
  const started: string[] = [];
  for (let ticket: Ticket | undefined = blocker; ticket !== undefined;) {
    const next: Ticket | undefined = firstStarted(admission(state, { type: "finish", ticket }));
    if (next !== undefined) started.push(tickets[next.id - 1]?.priority === undefined ? next.tenant : next.priority);
    ticket = next;
  }
  return started;
}

function firstStarted(decisions: readonly AdmissionDecision[]): Ticket | undefined {
  const first = decisions[0];
  return first?.type === "start" ? first.ticket : undefined;
}

describe("fairness", () => {
  test("A4: a tenant with one call is not behind another's backlog", () => {
    const backlog = Array.from({ length: 50 }, () => ({ tenant: "greedy" }));
    const started = order([...backlog, { tenant: "small" }]);
    expect(started.indexOf("small")).toBeLessThanOrEqual(1);
  });

  test("A4: tenants that all wait take turns", () => {
    const tickets = ["a", "a", "a", "b", "b", "b", "c", "c", "c"].map((tenant) => ({ tenant }));
    const started = order(tickets);
    for (let at = 0; at < 9; at += 3) expect(new Set(started.slice(at, at + 3)).size).toBe(3);
  });

  test("A4: the tenant with the fewest running calls gets the next place", () => {
    const state: AdmissionState = newAdmission({ ...LIMITS, host: { transaction: 3, action: 1 } });
    const ticket = (id: number, tenant: string): Ticket => ({ id, tenant, lane: id % 2 === 0 ? "query" : "mutation", priority: "normal" });
    for (let id = 1; id <= 5; id++) admission(state, { type: "arrive", ticket: ticket(id, "greedy") });
    admission(state, { type: "arrive", ticket: ticket(6, "small") });
    expect(admission(state, { type: "finish", ticket: ticket(1, "greedy") })).toEqual([{ type: "start", ticket: ticket(6, "small") }]);
  });

  test("A5: background work gets its share while interactive work never ends", () => {
    const tickets = Array.from({ length: 200 }, () => ({ tenant: "a", priority: "interactive" as const }));
    const started = order([
      ...tickets,
      ...Array.from({ length: 5 }, () => ({ tenant: "a", priority: "background" as const })),
      ...Array.from({ length: 20 }, () => ({ tenant: "a", priority: "normal" as const })),
    ]);
    const firstHundred = started.slice(0, 105);
    expect(firstHundred.filter((each) => each === "background").length).toBeGreaterThanOrEqual(4);
    expect(firstHundred.filter((each) => each === "normal").length).toBeGreaterThanOrEqual(18);
    expect(firstHundred.filter((each) => each === "interactive").length).toBeGreaterThanOrEqual(75);
  });

  test("A5: a priority that was idle has saved no credit", () => {
    const interactive = Array.from({ length: 40 }, () => ({ tenant: "a", priority: "interactive" as const }));
    const started = order([{ tenant: "a", priority: "background" }, { tenant: "a", priority: "background" }, ...interactive]);
    expect(started.slice(0, 17).filter((each) => each === "background").length).toBeLessThanOrEqual(2);
  });
});
