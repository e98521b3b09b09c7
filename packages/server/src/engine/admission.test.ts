import { expect, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { Admission, type EnterRequest } from "./admission.ts";
import { engineConfig } from "./engine-config.ts";
import { plinthError } from "@plinth/core/errors.ts";

function newAdmission() {
  const { metrics, metricsText } = createTelemetry({ logLevel: "silent" });
  const config = engineConfig({ perTenant: { query: 2, mutation: 1, action: 1 }, host: { transaction: 3, action: 2 } });
  return { admission: new Admission({ config, runtime: createSystemRuntime(), metrics }), metricsText };
}

function asks(changes: Partial<EnterRequest> = {}): EnterRequest {
  return {
    tenant: "a",
    lane: "query",
    priority: "interactive",
    waitMsMax: 5000,
    signal: new AbortController().signal,
    onWait: () => {},
    ...changes,
  };
}

test("a place that is left is handed on at once, and the reason of the wait was told", async () => {
  const { admission, metricsText } = newAdmission();
  const first = await admission.enter(asks({ lane: "mutation" }));
  const reasons: string[] = [];
  const second = admission.enter(asks({ lane: "mutation", onWait: (reason) => reasons.push(reason) }));
  expect(reasons).toEqual(["tenantMutations"]);
  expect(admission.status()).toEqual({ waiting: 1, runningTransactions: 1, runningActions: 0 });
  first.leave();
  first.leave();
  (await second).leave();
  expect(admission.status()).toEqual({ waiting: 0, runningTransactions: 0, runningActions: 0 });
  expect(await metricsText()).toContain('plinth_waits_total{reason="tenantMutations"} 1');
});

test("a wait ends at its time with its reason, and not before", async () => {
  const { admission } = newAdmission();
  const places = await Promise.all([admission.enter(asks()), admission.enter(asks()), admission.enter(asks({ tenant: "b" }))]);
  const fromMs = performance.now();
  const waits = await Promise.allSettled([
    admission.enter(asks({ waitMsMax: 60 })),
    admission.enter(asks({ tenant: "c", waitMsMax: 30 })),
    admission.enter(asks({ tenant: "c", waitMsMax: 90 })),
  ]);
  expect(performance.now() - fromMs).toBeGreaterThanOrEqual(89);
  expect(waits.map((each) => each.status === "rejected" && String(each.reason.message))).toEqual([
    "The call waited longer than 60 ms for a place: tenantQueries.",
    "The call waited longer than 30 ms for a place: hostCapacity.",
    "The call waited longer than 90 ms for a place: hostCapacity.",
  ]);
  for (const place of places) place.leave();
  expect(admission.status().runningTransactions).toBe(0);
});

test("who goes away while waiting leaves no trace, and closing refuses those who wait", async () => {
  const { admission } = newAdmission();
  const place = await admission.enter(asks({ lane: "action" }));
  const controller = new AbortController();
  const gone = admission.enter(asks({ lane: "action", signal: controller.signal }));
  const patient = admission.enter(asks({ lane: "action" }));
  controller.abort(plinthError("Cancelled", { detail: "test" }));
  await expect(gone).rejects.toMatchObject({ code: "Cancelled" });
  expect(admission.status().waiting).toBe(1);
  admission.close(plinthError("ShuttingDown", {}));
  await expect(patient).rejects.toMatchObject({ code: "ShuttingDown" });
  await expect(admission.enter(asks())).rejects.toMatchObject({ code: "ShuttingDown" });
  place.leave();
  expect(admission.status()).toEqual({ waiting: 0, runningTransactions: 0, runningActions: 0 });
});

test("a full queue refuses", async () => {
  const { admission } = newAdmission();
  const place = await admission.enter(asks({ lane: "action" }));
  const waits = Array.from({ length: 2001 }, () => admission.enter(asks({ lane: "action" })));
  await expect(waits.at(-1)).rejects.toMatchObject({ code: "TooManyConcurrentRequests" });
  admission.close(plinthError("ShuttingDown", {}));
  await Promise.allSettled(waits);
  place.leave();
});
