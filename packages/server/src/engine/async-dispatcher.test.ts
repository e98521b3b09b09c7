import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { AsyncDispatcher, type WaitingCall } from "./async-dispatcher.ts";

const MAX = limit("asyncQueueBytesPerTenantMax");
const call = (id: string, argsBytes: number): WaitingCall => ({
  scope: { tenant: "acme", branch: "main" },
  id,
  lane: "action",
  priority: "interactive",
  argsBytes,
});

test("the arguments of a tenant that wait are bounded, and calls that started or were taken back do not wait", async () => {
  let end = (): void => {};
  const dispatcher = new AsyncDispatcher({
    runtime: createSystemRuntime(),
    perTenant: { query: 1, mutation: 1, action: 1 },
    run: () =>
      new Promise((resolve) => {
        end = resolve;
      }),
  });
  const room = (bytes: number): void => dispatcher.keepRoom("acme", bytes)();
  dispatcher.add(call("runs", MAX));
  room(MAX);
  dispatcher.add(call("waits", MAX - 10));
  room(10);
  expect(() => room(11)).toThrow(`have ${MAX - 10} bytes and may have ${MAX}`);
  dispatcher.keepRoom("other", MAX)();
  const giveBack = dispatcher.keepRoom("acme", 6);
  expect(() => room(5)).toThrow("may have");
  giveBack();
  room(10);
  dispatcher.remove("waits");
  room(MAX);
  dispatcher.addLater(call("later", MAX), 1_000_000);
  expect(() => room(1)).toThrow("may have");
  dispatcher.remove("later");
  room(MAX);
  dispatcher.add(call("next", MAX));
  expect(() => room(1)).toThrow("may have");
  end();
  await expect.poll(() => room(MAX)).toBe(undefined);
  const stopped = dispatcher.stop();
  end();
  await stopped;
});
