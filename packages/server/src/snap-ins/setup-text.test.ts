import { limit } from "@plinth/core/limits.ts";
import { expect, test } from "vitest";
import { setupText } from "./setup-text.ts";
import type { EventSourceRow } from "./snap-in-records.ts";

function row(setupInstructions: string, config: EventSourceRow["config"] = {}): EventSourceRow {
  return {
    id: "evs_1",
    snapInId: "snapin_1",
    name: "hook",
    type: "flow-custom-webhook",
    user: null,
    config,
    filterJq: null,
    setupInstructions,
    token: "t",
    enabled: true,
    createdMs: 1,
  };
}

const NOWHERE = { triggerUrl: null, emailAddress: null };
test("names, addresses and settings are filled in; what is not known stays", () => {
  const text = "{{source.name}} at {{ source.trigger_url }} with {{source.config.a}}, {{source.config.toString}} {{source.other}}";
  expect(setupText(row(text, { a: { b: 1 } }), { triggerUrl: "https://x/", emailAddress: null })).toBe(
    'hook at https://x/ with {"b":1}, {{source.config.toString}} {{source.other}}',
  );
});

test("a long value that is named often does not grow beyond the limit", () => {
  const text = setupText(row("{{source.config.a}}".repeat(3000), { a: "x".repeat(200_000) }), NOWHERE) ?? "";
  expect(text.length).toBeLessThanOrEqual(limit("setupTextCharsMax"));
  const some = setupText(row("{{source.config.a}}".repeat(3000), { a: "x".repeat(1000) }), NOWHERE) ?? "";
  expect(some.startsWith("x".repeat(5000))).toBe(true);
  expect(some.length).toBeLessThanOrEqual(limit("setupTextCharsMax"));
});
