/** Flows that events start: changes of documents, times, sync runs. */
import { afterAll, beforeAll, expect, test } from "vitest";
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
  for (let round = 0; round < 3; round++) {
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
