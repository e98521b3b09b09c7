/** Category Z of the abuse suite: automations that cause themselves, and automations that always fail. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Files } from "../../packages/server/src/packages/test-packages.ts";
import { eventually, startEventHost, succeed, type EventHost } from "../events/event-host.ts";
import { limit } from "@plinth/core/limits.ts";

let host: EventHost;
beforeAll(async () => {
  host = await startEventHost({ port: 1 });
}, 60_000);
afterAll(() => host.local.stop());

interface Letter {
  readonly id: string;
  readonly automation: string;
  readonly error: { readonly code: string; readonly message: string };
}

async function letters(automation: string): Promise<readonly Letter[]> {
  const { json } = await succeed(host.send("/v1/events/dead-letters"));
  return (json["deadLetters"] as readonly Letter[]).filter((letter) => letter.automation === automation);
}

function files(name: string, parts: { readonly sources: string; readonly automations: string; readonly code: string }): Files {
  return {
    "manifest.yaml": `version: "2"
name: ${name}
description: Loops.
service_account:
  display_name: Looper
event_sources:
  organization:
${parts.sources}functions:
  - name: go
    description: Goes.
automations:
${parts.automations}plinth:
  runtime: node
  reuse: true
`,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": parts.code,
  };
}

describe("Z01 what an automation causes comes back to it", () => {
  test("by a change of the object that it listens to: it ends, and says why", { timeout: 120_000 }, async () => {
    await host.bring(
      "changer",
      files("changer", {
        sources: "    - name: changes\n      type: devrev-webhook\n      config:\n        event_types: [account_updated]\n",
        automations: "  - name: changing\n    source: changes\n    event_types: [account_updated]\n    function: go\n",
        // It says that it is the first cause, which it is not.
        code: `exports.functionFactory = { go: async ([event]) => {
          const { _id: id, name, revenue } = event.payload.account_updated.account;
          if (name !== "loop") return {};
          const answer = await fetch(event.execution_metadata.devrev_endpoint + "/api/mutation", {
            method: "POST",
            headers: { "content-type": "application/json", "x-plinth-cause-depth": "0", "X-Plinth-Cause-Depth": "0" },
            body: JSON.stringify({ path: "accounts:update", args: { id, name, revenue: revenue + 1 }, format: "json" }),
          });
          if (!answer.ok) throw new Error(await answer.text());
          return {};
        } };`,
      }),
    );
    const id = await host.run("accounts:create", { name: "loop", revenue: 0 });
    await host.run("accounts:update", { id, name: "loop", revenue: 1 } as never);
    const [letter] = await eventually(async () => {
      const found = await letters("changing");
      return found.length > 0 ? found : undefined;
    }, "the end of the loop");
    // Refused where it would go too deep: at the door, which the function sees, or before the delivery.
    expect(letter?.error.message).toMatch(/have caused each other/);
    const { json } = await succeed(host.send(`/v1/operations/get_account/execute`, { body: { input: { _id: id } } }));
    const revenue = Number(/"revenue":(\d+)/.exec(JSON.stringify(json))?.[1]);
    expect(revenue).toBeGreaterThan(5);
    expect(revenue).toBeLessThanOrEqual(limit("causeDepthMax") / 2 + 1);
    // People may replay it: it begins anew.
    await succeed(host.send(`/v1/events/dead-letters/${letter?.id ?? ""}/replay`, { method: "POST" }));
    await eventually(async () => ((await letters("changing")).some((each) => each.id !== letter?.id) ? true : undefined), "its next end");
    // What comes from outside is as good as before.
    await host.run("accounts:update", { id, name: "quiet", revenue: 0 } as never);
    expect((await succeed(host.send("/v1/events/waiting"))).status).toBe(200);
  });

  test("by events that it publishes to itself", { timeout: 120_000 }, async () => {
    const snapIn = await host.bring(
      "publisher",
      files("publisher", {
        sources: "    - name: own\n      type: flow-events\n",
        automations: "  - name: publishing\n    source: own\n    event_types: [custom:again]\n    function: go\n",
        code: `exports.functionFactory = { go: async ([event]) => {
          const answer = await fetch(event.execution_metadata.devrev_endpoint + "/event-sources.schedule", {
            method: "POST",
            headers: { "content-type": "application/json", authorization: event.context.secrets.service_account_token },
            body: JSON.stringify({
              id: event.input_data.event_sources.own,
              event_type: "again",
              payload: Buffer.from(JSON.stringify({ round: (event.payload.round ?? 0) + 1 })).toString("base64"),
            }),
          });
          if (!answer.ok) throw new Error(await answer.text());
          return {};
        } };`,
      }),
    );
    await succeed(host.send("/v1/events", { body: { snapIn, source: "own", type: "again", payload: { round: 0 } } }));
    const [letter] = await eventually(async () => {
      const found = await letters("publishing");
      return found.length > 0 ? found : undefined;
    }, "the end of the loop");
    expect(letter?.error.code).toBe("LoopDetected");
    const { json } = await succeed(host.send(`/v1/events/dead-letters/${letter?.id ?? ""}`));
    expect(Number(/"round":(\d+)/.exec(JSON.stringify(json))?.[1])).toBeLessThanOrEqual(limit("causeDepthMax") / 2 + 1);
    expect(JSON.stringify((await succeed(host.send("/v1/events/waiting"))).json)).not.toContain("publishing");
  });

  test("who says from outside that a call is too deep has it refused, whatever the door", { timeout: 60_000 }, async () => {
    const headers = { authorization: `Bearer ${host.local.connection.key ?? ""}`, "content-type": "application/json" };
    for (const depth of ["33", "9999", "x", "-1", "1e9"]) {
      for (const [path, body] of [
        ["/api/query", { path: "accounts:list", args: {}, format: "json" }],
        ["/v1/operations/list_account/execute", { input: {} }],
        ["/plinth.v1.FunctionService/ExecuteOperation", { operation: "list_account", input: {} }],
      ] as const) {
        const answer = await fetch(host.local.connection.url + path, {
          method: "POST",
          headers: { ...headers, "x-plinth-cause-depth": depth },
          body: JSON.stringify(body),
        });
        const text = await answer.text();
        expect([path, depth, text.includes("have caused each other")]).toEqual([path, depth, true]);
      }
    }
  });
});

describe("Z04 an automation that always fails", () => {
  test("leaves dead letters, and the others go on", { timeout: 180_000 }, async () => {
    const source = "    - name: own\n      type: flow-events\n";
    const automation = (name: string) => `  - name: ${name}\n    source: own\n    event_types: [custom:go]\n    function: go\n`;
    const crash = `exports.functionFactory = { go: async () => { process.abort(); } };`;
    const throwing = `exports.functionFactory = { go: async () => { throw new Error("always"); } };`;
    const fine = `exports.functionFactory = { go: async () => ({}) };`;
    const ids = new Map<string, string>();
    for (const [name, code] of Object.entries({ crasher: crash, thrower: throwing, fine }))
      ids.set(name, await host.bring(name, files(name, { sources: source, automations: automation(`${name}-all`), code })));
    const publish = (name: string) => host.send("/v1/events", { body: { snapIn: ids.get(name), source: "own", type: "go" } });
    await Promise.all(Array.from({ length: 10 }, () => publish("crasher").then(() => publish("thrower"))));
    const sinceMs = performance.now();
    await succeed(publish("fine"));
    await eventually(async () => {
      const { json } = await succeed(host.send("/v1/events/waiting"));
      return JSON.stringify(json).includes("fine-all") ? undefined : true;
    }, "the delivery behind the crashes");
    expect(performance.now() - sinceMs).toBeLessThan(30_000);
    expect(await letters("fine-all")).toEqual([]);
    await eventually(async () => ((await letters("thrower-all")).length === 10 ? true : undefined), "a dead letter for each");
  });
});
