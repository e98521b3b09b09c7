/**
 * Every modality, and every source of events, has a test that begins with its real trigger on a real host and looks at what the
 * function got and did. This is the list; it fails when one is missing, or a test goes away.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MODALITIES } from "../../packages/server/src/modalities/table.ts";

interface Proof {
  readonly modality: keyof typeof MODALITIES;
  readonly trigger: string;
  /** Below `tests`. */
  readonly file: string;
  readonly title: string;
}

const PROOFS: readonly Proof[] = [
  { modality: "automation", trigger: "a mutation", file: "events/changes.test.ts", title: "V1 a mutation's changes come with" },
  { modality: "automation", trigger: "a jq filter", file: "events/changes.test.ts", title: "V2 a source's filter decides" },
  { modality: "automation", trigger: "create_x", file: "modalities/crm.test.ts", title: "create_x, x_created, automation" },
  { modality: "automation", trigger: "an interval", file: "events/sources.test.ts", title: "timers tick, and stop" },
  { modality: "automation", trigger: "a cron", file: "modalities/timers.test.ts", title: "a cron ticks at the full minute" },
  { modality: "automation", trigger: "a webhook", file: "inbound/webhooks.test.ts", title: "a signed request becomes an event" },
  { modality: "automation", trigger: "an email by SMTP", file: "inbound/emails.test.ts", title: "M1 become events with their files" },
  { modality: "automation", trigger: "an email by HTTP", file: "inbound/emails.test.ts", title: "emails over HTTP" },
  { modality: "automation", trigger: "plinth events", file: "events/sources.test.ts", title: "an event of a flow comes at once" },
  { modality: "automation", trigger: "a package", file: "snap-ins/facade.test.ts", title: "schedule events of the snap-in's own source" },
  { modality: "automation", trigger: "a user's source", file: "events/sources.test.ts", title: "a source of a user hears" },
  { modality: "snapKit", trigger: "an element", file: "snap-ins/commands.test.ts", title: "runs actions with what the user did" },
  { modality: "snapKit", trigger: "a component", file: "snap-ins/commands.test.ts", title: "asks initializers" },
  { modality: "snapKit", trigger: "a configuration", file: "snap-ins/facade.test.ts", title: "a form of the configuration is shown" },
  { modality: "keyring", trigger: "a credential", file: "modalities/keyrings.test.ts", title: "a function verifies a credential" },
  {
    modality: "keyring",
    trigger: "a token that ends",
    file: "snap-ins/keyring-checks.test.ts",
    title: "by a function gives the new token",
  },
  { modality: "command", trigger: "a user", file: "snap-ins/commands.test.ts", title: "run at once with the documented payload" },
  {
    modality: "command",
    trigger: "the acting user",
    file: "snap-ins/facade.test.ts",
    title: "a command comments on its object as the user",
  },
  { modality: "sync", trigger: "an extraction", file: "sync/sync.test.ts", title: "goes through all phases" },
  {
    modality: "agentSkill",
    trigger: "an MCP client",
    file: "modalities/agent-skills.test.ts",
    title: "a function sees the agent's session",
  },
];

it.each(Object.entries(MODALITIES))("%s is under its own name, and has a test that begins with its trigger", (name, modality) => {
  expect(modality.name).toBe(name);
  expect(PROOFS.filter(({ modality: of }) => of === name)).not.toEqual([]);
});

it.each(PROOFS)("$modality by $trigger", ({ file, title }) => {
  expect(readFileSync(join(import.meta.dirname, "..", file), "utf8")).toContain(title);
});
