import { plinthError } from "@plinth/core/errors.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nativePath, type NativeCode } from "../../packages/server/src/engine/native-code.ts";
import { eventually, removeFolder, request, SCOPE, startEngineHost, value, type EngineHost } from "./engine-host.ts";

let host: EngineHost;
let runs = 0;

const CODES: Readonly<Record<string, NativeCode>> = {
  add: {
    kind: "mutation",
    run: async ({ transaction, args }) => {
      runs++;
      return (await transaction?.syscall("1.0/insert", JSON.stringify({ table: "natives", value: args }))) ?? "null";
    },
  },
  addAndFail: {
    kind: "mutation",
    run: async ({ transaction }) => {
      await transaction?.syscall("1.0/insert", JSON.stringify({ table: "natives", value: { n: -1 } }));
      throw plinthError("FunctionError", { detail: "no" });
    },
  },
  count: {
    kind: "query",
    run: async ({ transaction }) => {
      runs++;
      return (await transaction?.syscall("1.0/count", JSON.stringify({ table: "natives" }))) ?? "null";
    },
  },
  below: {
    kind: "action",
    run: async ({ call, emit, log }) => {
      log("info", "before the child");
      const outcome = await call({ path: nativePath("leaf"), argsText: "{}" });
      if (outcome.status === "failed") throw outcome.error;
      emit(outcome.valueText);
      return outcome.valueText;
    },
  },
  leaf: { kind: "action", run: async () => await Promise.resolve('"leaf"') },
  recurses: {
    kind: "action",
    run: async ({ call }) => {
      const outcome = await call({ path: nativePath("recurses"), argsText: "{}" });
      if (outcome.status === "failed") throw outcome.error;
      return "null";
    },
  },
  hangs: {
    kind: "action",
    wallMs: 50,
    run: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("ended")), { once: true })),
  },
  fetches: {
    kind: "action",
    run: async ({ fetch }) =>
      JSON.stringify(await fetch({ url: "http://127.0.0.1:1/", method: "GET", headers: [], bodyBase64: null, redirect: "follow" })),
  },
};

const admin = { internalAllowed: true } as const;

beforeAll(async () => {
  host = await startEngineHost({
    deploy: false,
    config: { perTenant: { query: 16, mutation: 16, action: 1 } },
    natives: { resolve: async (_scope, path) => await Promise.resolve(CODES[path.slice("$operation/".length)]) },
  });
}, 60_000);

afterAll(async () => {
  await host.stop();
  await removeFolder(host);
});

describe("native code", () => {
  it("writes in a transaction that commits with it, and leaves nothing when it says no", async () => {
    await value(host, nativePath("add"), { n: 1 }, admin);
    const failed = await host.engine.invoke(request(nativePath("addAndFail"), {}, admin));
    expect(failed.status === "failed" && failed.error.code).toBe("FunctionError");
    expect(await value(host, nativePath("count"), {}, admin)).toBe(1);
  });

  it("takes part in idempotency and in the query cache like user code", async () => {
    runs = 0;
    await value(host, nativePath("count"), {}, admin);
    const keyed = { ...admin, idempotencyKey: "one" };
    const first = await value(host, nativePath("add"), { n: 2 }, keyed);
    expect(await value(host, nativePath("add"), { n: 2 }, keyed)).toEqual(first);
    expect(await value(host, nativePath("count"), {}, admin)).toBe(2);
    expect(await value(host, nativePath("count"), {}, admin)).toBe(2);
    expect(runs).toBeLessThanOrEqual(3);
  });

  it("is stored and run later", async () => {
    const { id } = await host.engine.enqueue(request(nativePath("add"), { n: 3 }, admin));
    const record = await eventually(async () => {
      const found = await host.engine.get(SCOPE, id);
      return found?.state === "succeeded" ? found : undefined;
    });
    expect(record.functionPath).toBe("$operation/add");
  });

  it("calls others on its own place, so that a full host cannot stand still", async () => {
    const events: string[] = [];
    const outcome = await host.engine.invoke(request(nativePath("below"), {}, admin), { onEvent: ({ type }) => void events.push(type) });
    expect(outcome.status === "succeeded" && outcome.valueText).toBe('"leaf"');
    expect(outcome.logs.map(({ text }) => text)).toEqual(["before the child"]);
    expect(events).toContain("partial");
  });

  it("ends calls that cause themselves", async () => {
    const outcome = await host.engine.invoke(request(nativePath("recurses"), {}, admin));
    expect(outcome.status === "failed" && outcome.error.code).toBe("LimitExceeded");
  });

  it("ends what takes too long, as a result", async () => {
    const outcome = await host.engine.invoke(request(nativePath("hangs"), {}, admin));
    expect(outcome.status === "failed" && outcome.error.code).toBe("FunctionTimeout");
  });

  it("reaches no private address", async () => {
    const outcome = await host.engine.invoke(request(nativePath("fetches"), {}, admin));
    expect(outcome.status === "failed" && outcome.error.code).toBe("FetchRefused");
  });

  it("is called by those alone who may call what is internal", async () => {
    await expect(host.engine.invoke(request(nativePath("leaf")))).rejects.toMatchObject({ code: "FunctionNotFound" });
    await expect(host.engine.invoke(request(nativePath("nobody"), {}, admin))).rejects.toMatchObject({ code: "FunctionNotFound" });
  });
});
