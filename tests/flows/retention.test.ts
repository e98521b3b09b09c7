/** What a run needs stays for as long as it goes on, on a real host. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBundler } from "../../packages/cli/src/bundle/bundle.ts";
import { call } from "../../packages/cli/src/client.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { limit } from "../../packages/core/src/limits.ts";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;
let script = "";

beforeAll(async () => {
  const bundler = createBundler(join(import.meta.dirname, "functions", "convex"));
  ({ script } = await bundler.bundle());
  await bundler.dispose();
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 60_000);
afterAll(() => host.local.stop());

async function deploy(version: string): Promise<void> {
  if (!script.includes("version-0")) throw new Error("the functions say no version");
  await call(host.local.connection, "/v1/deploy", { body: { script: script.replaceAll("version-0", version), sourceMap: null } });
}

async function publish(name: string, start: string, nodes: Readonly<Record<string, unknown>>, more: object = {}): Promise<void> {
  const definition = { format: 1, name, trigger: { type: "api" }, start, nodes, ...more };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}

async function start(name: string): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${name}/runs`, { body: {} }))).json["id"]);
}

async function ended(id: string): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    return json["endedMs"] === null ? undefined : json;
  }, "the end of the run");
}

test("W6 a run calls the functions that it began with, however many versions came after them", { timeout: 120_000 }, async () => {
  await deploy("version-1");
  await publish("pinned", "ask", {
    ask: { type: "wait", data: { for: "signal", signal: "go" }, next: "which" },
    which: { type: "invoke", data: { function: "which:version" }, next: "give" },
    give: { type: "return", data: { output: "=steps.which.output" } },
  });
  const id = await start("pinned");
  const last = limit("headsKeptMax") + 2;
  for (let version = 2; version <= last; version++) await deploy(`version-${version}`);
  host = eventHost(await host.local.restart());
  await succeed(host.send(`/v1/flow-runs/${id}/signal`, { body: { name: "go" } }));
  expect(await ended(id)).toMatchObject({ status: "completed", output: "version-1" });
  const later = await start("pinned");
  await succeed(host.send(`/v1/flow-runs/${later}/signal`, { body: { name: "go" } }));
  expect(await ended(later)).toMatchObject({ status: "completed", output: `version-${last}` });
});

test("W6 a function of a package is that of the version that is installed when its step begins", { timeout: 60_000 }, async () => {
  const upload = async (answer: string): Promise<string> => {
    const files = {
      "manifest.yaml": 'version: "2"\nname: says\ndescription: Says.\nfunctions:\n  - name: say\n    description: Says.\n',
      "code/package.json": '{"main":"./dist/index.js"}',
      "code/dist/index.js": `exports.functionFactory = { say: async () => "${answer}" };`,
    };
    return String((await succeed(host.send("/v1/packages/says/versions", { body: archiveOf(files) }))).json["version"]);
  };
  await upload("old");
  const { json: snapIn } = await succeed(host.send("/v1/snap-ins", { body: { package: "says" } }));
  await succeed(host.send(`/v1/snap-ins/${String(snapIn["id"])}/activate`, { method: "POST" }));
  await publish("says", "before", {
    before: { type: "invoke", data: { function: "@says/say" }, next: "ask" },
    ask: { type: "wait", data: { for: "signal", signal: "go" }, next: "between" },
    between: { type: "invoke", data: { function: "@says/say" }, next: "again" },
    again: { type: "wait", data: { for: "signal", signal: "go" }, next: "after" },
    after: { type: "invoke", data: { function: "@says/say" }, next: "give" },
    give: { type: "return", data: { output: "=[steps.before.output, steps.between.output, steps.after.output]" } },
  });
  const id = await start("says");
  const waitsAt = async (node: string): Promise<true> =>
    await eventually(async () => {
      const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
      return (json["reason"] as { readonly node: string } | null)?.node === node ? true : undefined;
    }, `the wait ${node}`);
  await waitsAt("ask");
  // It is the head, and not what is installed.
  const version = await upload("new");
  await succeed(host.send(`/v1/flow-runs/${id}/signal`, { body: { name: "go" } }));
  await waitsAt("again");
  await succeed(host.send(`/v1/snap-ins/${String(snapIn["id"])}/upgrade`, { body: { version } }));
  await succeed(host.send(`/v1/flow-runs/${id}/signal`, { body: { name: "go" } }));
  expect(await ended(id)).toMatchObject({ status: "completed", output: ["old", "old", "new"] });
});

test("a run of more than a thousand events goes on after a crash, and its history is read in pages", { timeout: 120_000 }, async () => {
  const turns = 1020;
  await publish(
    "loop",
    "each",
    {
      each: {
        type: "for_each",
        data: { items: "=trigger.items", body: "one", concurrency: 20, collect: "=steps.one.output" },
        next: "give",
      },
      one: { type: "script", data: { code: "return inputs.n + 1;", input: { n: "=item" } }, next: "set" },
      set: { type: "assignment", data: { values: { n: "=vars.n + 1" } } },
      give: { type: "return", data: { output: "=[vars.n, steps.each.output.count, steps.each.output.results[7]]" } },
    },
    { variables: { n: { type: "number", initial: 0 } } },
  );
  const items = Array.from({ length: turns }, (_, at) => at);
  const id = String((await succeed(host.send("/v1/flows/loop/runs", { body: { input: { items } } }))).json["id"]);
  await eventually(async () => {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    return (json["variables"] as { readonly n: number }).n > 1002 ? true : undefined;
  }, "a thousand events");
  host = eventHost(await host.local.crash());
  expect(await ended(id)).toMatchObject({ status: "completed", output: [turns, turns, 8] });

  let steps = 0;
  for (let after: number | null = 0; after !== null;) {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}/history?after=${after}`));
    const page = json["steps"] as readonly unknown[];
    expect(page.length).toBeLessThanOrEqual(500);
    steps += page.length;
    after = json["next"] as number | null;
  }
  expect(steps).toBeGreaterThan(2 * turns);
  expect((await host.send(`/v1/flow-runs/${id}/history?limit=501`)).status).toBe(400);
});
