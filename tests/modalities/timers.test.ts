/** Timers by cron, from the clock to the function; those by interval are in `tests/events/sources.test.ts`. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually, listen, startEventHost, tellingPackage, type EventHost, type Listener } from "../events/event-host.ts";

let host: EventHost;
let listener: Listener;
beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});

// The smallest cron is that of each minute, so this waits for the next one.
it("a cron ticks at the full minute, with the metadata of its source", { timeout: 120_000 }, async () => {
  const startedMs = Date.now();
  await host.bring(
    "clock",
    tellingPackage({
      name: "clock",
      port: listener.port,
      sources: `    - name: minute
      type: timer-events
      config:
        cron: "* * * * *"
        metadata: {of: minute}
    - name: never
      type: timer-events
      config:
        cron: "0 0 29 2 1"
`,
      automations: `  - name: minute
    source: minute
    event_types: [timer.tick]
    function: tell
  - name: never
    source: never
    event_types: [timer.tick]
    function: tell
`,
    }),
  );
  const event = await nextTick();
  const scheduledMs = Number(event.payload["scheduled_time"]);
  expect(scheduledMs % 60_000).toBe(0);
  expect(scheduledMs).toBeGreaterThan(startedMs);
  expect(scheduledMs).toBeLessThanOrEqual(Date.now());
  expect(event).toMatchObject({
    payload: { metadata: { of: "minute" }, event_source_id: expect.stringMatching(/^evs_/) as string },
    execution_metadata: { event_type: "timer.tick", function_name: "tell" },
  });
});

async function nextTick() {
  for (let tries = 0; ; tries++) {
    try {
      return await eventually(() => listener.received[0], "the tick");
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
}
