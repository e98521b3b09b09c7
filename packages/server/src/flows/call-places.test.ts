import { limit } from "@plinth/core/limits.ts";
import { expect, test } from "vitest";
import { CallPlaces } from "./call-places.ts";

const NEVER = new AbortController().signal;
const MAX = limit("flowCallsPerTenantMax");

async function filled(places: CallPlaces, tenant: string): Promise<(() => void)[]> {
  return await Promise.all(Array.from({ length: MAX }, () => places.enter(tenant, NEVER)));
}

/** Notes when the place was given. */
async function note(order: string[], name: string, entering: Promise<() => void>): Promise<() => void> {
  const leave = await entering;
  order.push(name);
  return leave;
}

test("calls of a tenant beyond its places wait in order, and other tenants' do not wait for them", async () => {
  const places = new CallPlaces();
  const [first, second] = await filled(places, "full");
  const order: string[] = [];
  const waiting = [note(order, "a", places.enter("full", NEVER)), note(order, "b", places.enter("full", NEVER))];
  await note(order, "other", places.enter("other", NEVER));
  expect(order).toEqual(["other"]);
  first?.();
  await waiting[0];
  expect(order).toEqual(["other", "a"]);
  second?.();
  await waiting[1];
  expect(order).toEqual(["other", "a", "b"]);
});

test("a call that is ended while it waits goes on at once, and nobody's place is lost", async () => {
  const places = new CallPlaces();
  const [first] = await filled(places, "full");
  const ended = new AbortController();
  const order: string[] = [];
  const gone = note(order, "gone", places.enter("full", ended.signal));
  const next = note(order, "next", places.enter("full", NEVER));
  ended.abort();
  const leave = await gone;
  leave();
  expect(order).toEqual(["gone"]);
  first?.();
  await next;
  expect(order).toEqual(["gone", "next"]);
});
