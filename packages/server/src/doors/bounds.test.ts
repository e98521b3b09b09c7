/** Bounds on what all clients together may hold. */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { limit } from "@plinth/core/limits.ts";
import { describe, expect, it } from "vitest";
import { ANONYMOUS, BodyBudget } from "./body-budget.ts";
import type { Caller } from "./door.ts";
import { OpenStreams } from "./open-streams.ts";

function request(headers: Record<string, string>): IncomingMessage {
  return { headers } as unknown as IncomingMessage;
}

function response(): ServerResponse {
  return new EventEmitter() as unknown as ServerResponse;
}

describe("the memory of bodies", () => {
  it("is taken until the response is over, however it ends", () => {
    const budget = new BodyBudget(100);
    const first = response();
    budget.take(request({ "content-length": "60" }), first, { bodyBytesMax: 80, owner: "a" });
    expect(() => budget.take(request({ "content-length": "50" }), response(), { bodyBytesMax: 80, owner: "a" })).toThrow("fill the memory");
    budget.take(request({ "content-length": "40" }), response(), { bodyBytesMax: 80, owner: "a" });
    first.emit("close");
    expect(budget.bytes).toBe(40);
  });

  it("keeps a part for those who have a key", () => {
    const budget = new BodyBudget(100, { anonymousBytesMax: 50 });
    const flood = response();
    budget.take(request({ "content-length": "40" }), flood, { bodyBytesMax: 80, owner: ANONYMOUS });
    const more = () => budget.take(request({ "content-length": "20" }), response(), { bodyBytesMax: 80, owner: ANONYMOUS });
    expect(more).toThrow("fill the memory");
    budget.take(request({ "content-length": "60" }), response(), { bodyBytesMax: 80, owner: "a" });
    flood.emit("close");
    expect(more).not.toThrow();
    expect(budget.bytes).toBe(80);
  });

  it("keeps a part for other tenants, of bodies that are announced and of those that come", () => {
    const budget = new BodyBudget(100, { tenantBytesMax: 60 });
    const flood = response();
    budget.take(request({ "content-length": "40" }), flood, { bodyBytesMax: 80, owner: "a" });
    const hold = budget.holder(response(), "a");
    hold(20);
    expect(() => hold(1)).toThrow("fill the memory");
    const more = () => budget.take(request({ "content-length": "1" }), response(), { bodyBytesMax: 80, owner: "a" });
    expect(more).toThrow("fill the memory");
    budget.take(request({ "content-length": "40" }), response(), { bodyBytesMax: 80, owner: "b" });
    flood.emit("close");
    expect(more).not.toThrow();
    expect(budget.bytes).toBe(61);
  });

  it("takes nothing for a client that is gone already", () => {
    const budget = new BodyBudget(100);
    budget.take(request({ "content-length": "60" }), Object.assign(response(), { closed: true }), { bodyBytesMax: 80, owner: "a" });
    expect(budget.bytes).toBe(0);
  });

  it("counts a body of unknown length as the largest", () => {
    const budget = new BodyBudget(100);
    budget.take(request({ "transfer-encoding": "chunked" }), response(), { bodyBytesMax: 80, owner: "a" });
    expect(budget.bytes).toBe(80);
  });

  it.each([{}, { "content-length": "0" }, { "content-length": "-5" }, { "content-length": "x" }])("takes nothing for %j", (headers) => {
    const budget = new BodyBudget(100);
    budget.take(request(headers), response(), { bodyBytesMax: 80, owner: "a" });
    expect(budget.bytes).toBe(0);
  });
});

describe("Z05: open event streams", () => {
  const caller = (tenant: string, keyId?: string): Caller => ({
    scope: { tenant, branch: "main" },
    actor: { kind: "key", scopes: ["read"], ...(keyId === undefined ? {} : { keyId }) },
    instanceAdmin: false,
    prefix: "",
    query: "",
  });

  it("are bounded for each tenant, and places come back", () => {
    const streams = new OpenStreams();
    const places = Array.from({ length: limit("streamsPerTenantMax") }, () => streams.open(caller("a")));
    expect(() => streams.open(caller("a"))).toThrow("open event streams");
    streams.open(caller("b"));
    places[0]?.close();
    streams.open(caller("a"));
    expect(streams.count).toBe(limit("streamsPerTenantMax") + 1);
  });

  it("end with their key, their tenant and the host", () => {
    const streams = new OpenStreams();
    const [one, other, foreign] = [streams.open(caller("a", "k1")), streams.open(caller("a", "k2")), streams.open(caller("b", "k3"))];
    streams.endOfKey("k1");
    expect([one, other, foreign].map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
    streams.endOfTenant("a");
    expect([one, other, foreign].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    streams.shutDown();
    expect(foreign.signal.aborted).toBe(true);
    expect(() => streams.open(caller("a"))).toThrow("shutting down");
  });
});
