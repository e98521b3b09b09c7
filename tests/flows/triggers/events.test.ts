/** Flows that events start: changes of documents, and times. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, succeed } from "../../events/event-host.ts";
import { flowHost, startFlowHost, type FlowHost } from "./flow-host.ts";

let host: FlowHost;
beforeAll(async () => {
  host = await startFlowHost();
}, 60_000);
afterAll(() => host.local.stop());

test("G1 G2 changes of documents start flows, as their filters say, from the version that is the head", { timeout: 60_000 }, async () => {
  await host.publish("noted", { type: "object", data: { event: "note_created" }, filter: 'trigger.text.startsWith("yes")' });
  await host.publish("gone", { type: "object", data: { event: "note_deleted" }, output: { record: { text: "string" } } });
  await host.run("notes:add", { text: "no" });
  const id = await host.run("notes:add", { text: "yes 1" });
  await host.run("notes:remove", { id });
  const [gone] = await host.ended("gone", 1);
  expect(gone).toMatchObject({ status: "completed", trigger: "object", output: { _id: id, text: "yes 1", _before: null } });
  const [noted, ...others] = await host.ended("noted", 1);
  expect(noted).toMatchObject({ output: { text: "yes 1", _before: null, _event: { type: "note_created", truncated: false } } });
  expect(others).toEqual([]);

  // Off: nothing starts. Another version: its filter counts.
  await host.setOn("noted", false);
  await host.run("notes:add", { text: "yes off" });
  await host.setOn("noted", true);
  await host.publish("noted", { type: "object", data: { event: "note_created" }, filter: 'trigger.text == "no"' });
  await host.run("notes:add", { text: "yes 2" });
  await host.run("notes:add", { text: "no" });
  const outputs = (await host.ended("noted", 2)).map(({ output }) => (output as { readonly text: string }).text);
  expect(outputs).toEqual(["yes 1", "no"]);

  // Another trigger: documents start nothing any more.
  await host.publish("noted", { type: "manual" });
  await host.publish("last", { type: "object", data: { event: "note_created" } });
  await host.run("notes:add", { text: "no" });
  await host.ended("last", 1);
  expect(await host.runs("noted")).toHaveLength(2);
});

test("what was committed before a crash starts its run after it, once", { timeout: 120_000 }, async () => {
  await host.publish(
    "crash",
    { type: "object", data: { event: "note_created" } },
    {
      nap: { type: "delay", data: { for: 1 }, next: "give" },
      give: { type: "return", data: { output: "=trigger.text" } },
    },
  );
  const texts: string[] = [];
  for (let round = 0; round < 2; round++) {
    const adds = Array.from({ length: 20 }, async (_, n) => {
      const text = `crash ${round} ${n}`;
      await host.run("notes:add", { text }).then(
        () => texts.push(text),
        () => undefined,
      );
    });
    await Promise.race([adds[5 * (round + 1)], Promise.all(adds)]);
    const crashing = host.local.crash();
    await Promise.all(adds);
    host = flowHost(await crashing);
  }
  const notes = (await host.run("notes:list", {})) as readonly string[];
  const stored = notes.filter((text) => text.startsWith("crash"));
  const outputs = (await host.ended("crash", stored.length)).map(({ output }) => String(output));
  expect(outputs.sort()).toEqual([...stored].sort());
  expect(new Set(texts).isSubsetOf(new Set(outputs))).toBe(true);
});

test("a time starts its flow once, also when it comes while no host runs, and not while it is off", { timeout: 120_000 }, async () => {
  await host.publish("off", { type: "manual" });
  await host.setOn("off", false);
  await host.publish("every", { type: "timer", data: { intervalMs: 1000 }, filter: "trigger.scheduledTime < now" });
  const at = new Date(Date.now() + 4000).toISOString();
  await host.publish("once", { type: "timer", data: { at } });
  await host.publish("off", { type: "timer", data: { at } });
  await host.setOn("off", false);
  // Both are due while nobody is there.
  const crashing = host.local.crash();
  host = flowHost(await crashing);
  expect(await host.ended("once", 1)).toMatchObject([{ trigger: "timer", output: { scheduledTime: at } }]);
  await host.ended("every", 3);
  await host.setOn("every", false);
  const runs = await host.ended("every", 3);
  const times = runs.map(({ output }) => (output as { readonly scheduledTime: string }).scheduledTime);
  expect(new Set(times).size).toBe(times.length);
  expect(await host.runs("once")).toHaveLength(1);
  await host.setOn("off", true);
  expect(await host.runs("off")).toEqual([]);
  // Published again it is past: a warning, and nothing else.
  const definition = { format: 1, name: "once", trigger: { type: "timer", data: { at } }, start: "a", nodes: { a: { type: "return" } } };
  const { json } = await host.send("/v1/flows", { body: { definition } });
  expect(json["version"]).not.toBeNull();
  const { json: checked } = await host.send("/v1/flows/check", { body: { definition } });
  expect(checked["findings"]).toMatchObject([{ path: "trigger.data.at", severity: "warning" }]);
  expect(await host.runs("once")).toHaveLength(1);
});

test(
  "G2 an event that a filter could not judge is a dead letter, and starts its flow once when it is replayed",
  { timeout: 60_000 },
  async () => {
    const trigger = (filter: string) => ({ type: "object", data: { event: "note_created" }, filter });
    await host.publish("judged", trigger("trigger.missing.field > 1"));
    await host.run("notes:add", { text: "judge me" });
    const letter = await eventually(async () => {
      const { json } = await host.send("/v1/events/dead-letters");
      return (json["deadLetters"] as readonly Record<string, unknown>[]).find(({ automation }) => automation === "flow:judged");
    }, "the dead letter");
    expect(letter).toMatchObject({ error: { code: "FlowFilterFailed" } });
    await host.publish("judged", trigger('trigger.text == "judge me"'));
    await succeed(host.send(`/v1/events/dead-letters/${String(letter["id"])}/replay`, { method: "POST" }));
    expect(await host.ended("judged", 1)).toMatchObject([{ output: { text: "judge me" } }]);
  },
);

test("a flow that changes what starts it ends by itself", { timeout: 60_000 }, async () => {
  await host.publish(
    "echo",
    { type: "object", data: { event: "note_created" }, filter: 'trigger.text.startsWith("echo")' },
    { again: { type: "invoke", data: { function: "notes:add", input: { text: "=trigger.text" } } } },
  );
  await host.run("notes:add", { text: "echo" });
  await eventually(async () => {
    const { json } = await host.send("/v1/events/dead-letters");
    const letters = json["deadLetters"] as readonly { readonly automation: string; readonly error: { readonly code: string } }[];
    return letters.find(({ automation, error }) => automation === "flow:echo" && error.code === "LoopDetected");
  }, "the end of the loop");
});

test("events about the organisation start flows", { timeout: 60_000 }, async () => {
  await host.publish("spent", { type: "event", data: { event: "budget_stage_changed" }, filter: 'trigger.from == "ok"' });
  await host.publish("other", { type: "event", data: { event: "budget_stage_changed" }, filter: 'trigger.period == "month"' });
  const budget = { period: "day", amount: 0.000001, whenSpent: "degrade" };
  await succeed(host.send("/v1/limits", { method: "PUT", body: { budget, functions: [] } }));
  await host.run("notes:add", { text: "costs something" });
  const [run] = await host.ended("spent", 1);
  expect(run).toMatchObject({ trigger: "event", output: { from: "ok", period: "day" } });
  expect(await host.runs("other")).toEqual([]);
});
