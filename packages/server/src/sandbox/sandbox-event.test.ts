import { expect, test } from "vitest";
import { eventForLog } from "./sandbox-event.ts";

const ended = { type: "ended", runner: "node-1", end: { kind: "crashed", detail: "the runner ended with code 139" } } as const;

test("what a tenant's process printed stays out of the log", () => {
  const shown = eventForLog({ ...ended, tenant: "a", output: "the secret is s3cret" });
  expect(JSON.stringify(shown)).not.toContain("s3cret");
  expect(shown).toMatchObject({ ...ended, tenant: "a", outputChars: 20 });
});

test("what a process of nobody printed is shown: no user's code ran in it", () => {
  expect(eventForLog({ ...ended, tenant: undefined, output: "no such file" })).toMatchObject({ output: "no such file" });
});
