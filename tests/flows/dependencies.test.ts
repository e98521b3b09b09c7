/** Packages for the code of flows: found by the command line, pinned, used in the jail, kept, collected. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, type Json } from "../../packages/cli/src/client.ts";
import { CommandFailure } from "../../packages/cli/src/failure.ts";
import { lockFlow } from "../../packages/cli/src/flow-dependencies/lock-flow.ts";
import { startLocalHost } from "../../tools/local-host.ts";
import { hasPython } from "../../packages/server/src/sandbox/runtimes/python.ts";
import { archiveOf, type Files } from "../../packages/server/src/packages/test-packages.ts";
import { eventHost, succeed, type EventHost } from "../events/event-host.ts";
import { openRegistries, type Registries } from "./registries.ts";

const MAIN = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const SLOW = { timeout: 120_000 };
const IS_LONG = process.env["PLINTH_TEST_LONG"] === "1";
/** On a machine without Python or pip, its part is left out. */
const HAS_PIP = (await hasPython()) && spawnSync("python3", ["-m", "pip", "--version"]).status === 0;
let host: EventHost;
let registries: Registries;
let folder: string;
let before: Readonly<Record<string, string | undefined>> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "plinth-flow-deps-"));
  registries = await openRegistries();
  before = Object.fromEntries(Object.keys(registries.env).map((name) => [name, process.env[name]]));
  Object.assign(process.env, registries.env);
  registries.addPackage({
    name: "tiny-math",
    version: "1.0.0",
    files: {
      "index.js":
        'const words = require("tiny-words"); exports.double = (n) => n * 2; exports.say = (n) => words.default(n); exports.version = "1.0.0";',
      "install.js": 'require("node:fs").writeFileSync(process.env.PLINTH_TEST_MARK, "");',
    },
    about: { dependencies: { "tiny-words": "^2.0.0" }, scripts: { preinstall: "node install.js", postinstall: "node install.js" } },
  });
  registries.addPackage({
    name: "tiny-words",
    version: "2.1.0",
    files: { "index.mjs": "export default (n) => `number ${n}`;" },
    about: { main: "index.mjs", type: "module" },
  });
  registries.addPackage({
    name: "@scope/only-default",
    version: "0.1.0",
    files: { "index.mjs": "export default (n) => n + 1;" },
    about: { main: "index.mjs" },
  });
  registries.addPackage({ name: "needs-node", version: "1.0.0", files: { "index.js": 'require("node:fs"); module.exports = 1;' } });
  registries.addPackage({ name: "breaks", version: "1.0.0", files: { "index.js": 'throw new Error("this package does not load");' } });
  if (HAS_PIP) {
    registries.addWheel({
      name: "tiny_text",
      version: "1.0",
      files: { "tiny_text/__init__.py": "import needed\ndef shout(t):\n    return needed.mark(t.upper())\n" },
      needs: ["needed"],
    });
    registries.addWheel({ name: "needed", version: "3.0", files: { "needed.py": "def mark(t):\n    return t + '!'\n" } });
  }
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  for (const [name, value] of Object.entries(before))
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  await registries.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly all: string;
}

async function plinth(args: readonly string[]): Promise<Ended> {
  const { url, key } = host.local.connection;
  const env = { ...process.env, PLINTH_TEST_MARK: join(folder, "mark"), PLINTH_URL: url, PLINTH_ADMIN_KEY: key ?? "" };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { cwd: folder, env });
  let all = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (all += chunk.toString()));
  return { code: await new Promise((resolve) => child.once("close", resolve)), all };
}

const scriptNode = (code: string, dependencies: readonly string[]) => ({ type: "script", data: { code, dependencies }, next: "give" });
const codeNode = (code: string, dependencies: readonly string[]) => ({ type: "code", data: { code, dependencies }, next: "give" });

function flowOf(name: string, work: Json) {
  const give = { type: "return", data: { output: "=steps.work.output" } };
  return { format: 1, name, trigger: { type: "api" }, start: "work", nodes: { work, give } };
}

async function publishWithCli(
  definition: ReturnType<typeof flowOf> & { readonly description?: string },
  ...args: readonly string[]
): Promise<Ended> {
  const file = join(folder, `${definition.name}.json`);
  writeFileSync(file, JSON.stringify(definition));
  return await plinth(["flow", "publish", file, ...args]);
}

/** What the command does, without a process of its own. */
async function publish(definition: Json, isUpdate = false): Promise<Ended> {
  try {
    const locked = await lockFlow(host.local.connection, definition, { isUpdate, update: () => undefined });
    const json = await call(host.local.connection, "/v1/flows", { body: { definition: locked.definition } });
    const all = JSON.stringify([locked.lock, json]);
    return { code: all.includes('"version":null') ? 1 : 0, all };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { code: error.exitCode, all: error.message };
  }
}

async function run(name: string): Promise<unknown> {
  const { json } = await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input: {}, waitMs: 30_000 } }));
  if (json["status"] !== "completed") throw new Error(JSON.stringify(json));
  return json["output"];
}

interface Locked {
  readonly digest: string;
  readonly packages: readonly string[];
}

async function lockOf(name: string): Promise<readonly Locked[]> {
  const { json } = await succeed(host.send(`/v1/flows/${name}`));
  return (json["definition"] as { readonly lock: readonly Locked[] }).lock;
}

test("a script uses npm packages, pinned until they are updated on purpose; no script of a package is run", SLOW, async () => {
  const code =
    'return [libs["tiny-math"].double(21), libs["tiny-math"].say(1), libs["@scope/only-default"](1), libs["tiny-math"].version, Object.keys(libs)];';
  const flow = flowOf("maths", scriptNode(code, ["tiny-math@^1.0.0", "@scope/only-default"]));
  const first = await publishWithCli(flow);
  expect(first.code, first.all).toBe(0);
  expect(first.all).toContain("tiny-math@1.0.0, tiny-words@2.1.0");
  expect(existsSync(join(folder, "mark"))).toBe(false);
  const names = ["@scope/only-default", "tiny-math"];
  expect(await run("maths")).toEqual([42, "number 1", 2, "1.0.0", names]);
  const lock = await lockOf("maths");
  expect(lock).toMatchObject([{ packages: ["@scope/only-default@0.1.0", "tiny-math@1.0.0", "tiny-words@2.1.0"] }]);

  registries.addPackage({
    name: "tiny-math",
    version: "1.1.0",
    files: { "index.js": 'exports.double = (n) => n * 2; exports.say = () => ""; exports.version = "1.1.0";' },
  });
  const asked = registries.requests.length;
  const again = await publishWithCli({ ...flow, description: "Another text." });
  expect(again.code, again.all).toBe(0);
  expect(again.all).toContain("(as before)");
  expect(registries.requests.length).toBe(asked);
  expect(await lockOf("maths")).toEqual(lock);

  host = eventHost(await host.local.restart());
  expect(await run("maths")).toEqual([42, "number 1", 2, "1.0.0", names]);

  const updated = await publish(flow, true);
  expect(updated.code, updated.all).toBe(0);
  expect(await run("maths")).toEqual([42, "", 2, "1.1.0", names]);
  expect(await lockOf("maths")).toMatchObject([{ packages: ["@scope/only-default@0.1.0", "tiny-math@1.1.0"] }]);
});

test.runIf(IS_LONG)("a host that has not a bundle of a lock gets one with the same versions", SLOW, async () => {
  const flow = flowOf("maths", scriptNode("return 1;", ["tiny-math@^1.0.0", "@scope/only-default"]));
  // A host that has not its bundle gets one with the versions that the lock says, which is the same one.
  const lock = await lockOf("maths");
  const [entry] = lock;
  const elsewhere = await publish({
    ...flow,
    name: "elsewhere",
    lock: [
      {
        ...entry,
        language: "javascript",
        dependencies: ["@scope/only-default", "tiny-math@^1.0.0"],
        digest: "0".repeat(64),
        packages: [...lock.flatMap((each) => each.packages), "tiny-words@file:../odd", "@odd"],
      },
    ],
  });
  expect(elsewhere.code, elsewhere.all).toBe(0);
  expect(await lockOf("elsewhere")).toEqual(lock);
});

test.skipIf(!HAS_PIP)("a code node imports what its wheels offer, and nothing else", SLOW, async () => {
  const done = await publish(flowOf("texts", codeNode("import tiny_text\ntiny_text.shout('hi')", ["tiny-text>=1"])));
  expect(done.code, done.all).toBe(0);
  expect(done.all).toContain('"needed==3.0","tiny_text==1.0"');
  expect(await run("texts")).toBe("HI!");
  expect(await run("texts")).toBe("HI!");
  const lock = (await lockOf("texts")) as unknown as Json;
  const refused = await publish({ ...flowOf("texts", codeNode("import needed\nneeded.mark('a')", ["tiny-text>=1"])), lock });
  expect(refused.all).toContain("nodes.work.data.code, line 1, column 1: `import needed`: the module 'needed' is not available.");
  expect(refused.code).not.toBe(0);
});

const NEEDS = [[scriptNode("return 1;", ["needs-node"]), /"node:fs" is a module of Node/]] as const;

test("what cannot be found, bundled or loaded publishes nothing, and says what it is", SLOW, async () => {
  const cases = [
    [scriptNode("return 1;", ["no-such-package@^1"]), /no-such-package/],
    ...(IS_LONG ? NEEDS : []),
    [scriptNode("return 1;", ["breaks"]), /they cannot be loaded: .*this package does not load/],
    [codeNode("1", ["no-such-wheel"]), /no-such-wheel/],
    [scriptNode("return 1;", ["tiny-math@file:../tiny-math"]), /names no package of a registry; write the name of an npm package/],
    [codeNode("1", ["--index-url=http://127.0.0.1:1"]), /names no package of a registry; write the name of a PyPI package/],
  ] as const;
  const asked = cases.filter(([{ type }]) => type === "script" || HAS_PIP);
  const ended = await Promise.all(asked.map(async ([node, message]) => ({ ...(await publish(flowOf("refused", node))), message })));
  for (const { code, all, message } of ended) {
    expect(code, all).not.toBe(0);
    expect(all).toMatch(message);
  }
  expect((await host.send("/v1/flows/refused")).status).toBe(404);
});

test("code that undoes a step uses its own packages", SLOW, async () => {
  const work = {
    ...scriptNode("return 1;", []),
    compensate: {
      type: "script",
      data: { code: 'console.log("undone", libs["@scope/only-default"](1));', dependencies: ["@scope/only-default@0.1.0"] },
    },
    next: "fails",
  };
  const flow = { ...flowOf("undone", work), nodes: { work, fails: { type: "script", data: { code: 'throw new Error("no");' } } } };
  const done = await publish(flow);
  expect(done.code, done.all).toBe(0);
  const { json } = await succeed(host.send("/v1/flows/undone/runs", { body: { input: {}, waitMs: 30_000 } }));
  expect(json["status"]).toBe("failed");
  const logs = await succeed(host.send(`/v1/flow-runs/${String(json["id"])}/logs`));
  expect(JSON.stringify(logs.json)).toContain("undone 2");
});

async function upload(files: Files, more: Readonly<Record<string, string>> = {}): Promise<Response> {
  const { url, key } = host.local.connection;
  const headers = { authorization: `Bearer ${key ?? ""}`, "content-type": "application/gzip", ...more };
  return await fetch(`${url}/v1/flow-bundles`, { method: "POST", headers, body: new Uint8Array(archiveOf(files)) });
}

const about = (more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ format: 1, language: "javascript", dependencies: ["x"], packages: ["x@1.0.0"], modules: [], ...more });
const python = about({ language: "python", modules: ["x"] });
const GIVES = "globalThis.__plinthLibs = () => ({ x: 1 });";

const ENDLESS: readonly [string, Files, RegExp] = [
  "a script without an end",
  { "bundle.json": about(), "libs.js": "for (;;);" },
  /cannot be loaded/,
];

test.each<readonly [string, Files, RegExp]>([
  ["no word of itself", { "libs.js": GIVES }, /has no bundle\.json/],
  ["another format", { "bundle.json": about({ format: 9 }), "libs.js": GIVES }, /has not the format 1/],
  [
    "packages of an address",
    { "bundle.json": about({ dependencies: ["x@git+https://example.com/x"] }), "libs.js": GIVES },
    /no packages of a registry/,
  ],
  ["files besides", { "bundle.json": about(), "libs.js": GIVES, "more.js": "" }, /is libs\.js and bundle\.json alone/],
  ["no script", { "bundle.json": about() }, /is libs\.js and bundle\.json alone/],
  ["a script that is none", { "bundle.json": about(), "libs.js": "this is { no" }, /cannot be loaded/],
  [
    "a script that gives other packages",
    { "bundle.json": about(), "libs.js": "globalThis.__plinthLibs = () => ({ y: 1 });" },
    /does not give the packages/,
  ],
  ["a script that gives none", { "bundle.json": about(), "libs.js": "1;" }, /cannot be loaded/],
  ...(IS_LONG ? [ENDLESS] : []),
  ["too much code", { "bundle.json": about(), "libs.js": `${GIVES}//${"x".repeat(9_000_000)}` }, /may have 8388608/],
  ["a module of Python that is not there", { "bundle.json": python, "code/site-packages/y.py": "" }, /no module `x`/],
  ["a module of Python that does not load", { "bundle.json": python, "code/site-packages/x.py": "raise ValueError('odd')" }, /odd/],
  [
    "a module that stands for one of the interpreter",
    { "bundle.json": about({ language: "python", modules: ["os"] }), "code/site-packages/os.py": "" },
    /'os'/,
  ],
])("a bundle with %s is refused", SLOW, async (_name, files, message) => {
  if (!HAS_PIP && String(files["bundle.json"]).includes("python")) return;
  const response = await upload(files);
  const text = await response.text();
  expect(response.status, text).toBe(400);
  expect(text).toMatch(message);
});

test("a flow is published over HTTP only with a lock whose bundle is there and holds what it says", SLOW, async () => {
  const response = await upload({ "bundle.json": about(), "libs.js": GIVES });
  const { digest } = (await response.json()) as { readonly digest: string };
  const entry = { language: "javascript", dependencies: ["x"], digest, packages: ["x@1.0.0"] };
  const attempt = async (lock: unknown): Promise<string> => {
    const definition = { ...flowOf("by-hand", scriptNode("return libs.x;", ["x"])), lock };
    const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
    return json["version"] === null ? JSON.stringify(json["findings"]) : "published";
  };
  expect(await attempt([])).toMatch(/nodes\.work\.data\.dependencies names packages .* publish with `plinth flow publish`/);
  expect(await attempt([{ ...entry, dependencies: ["x", "y"] }])).toMatch(/names packages that the flow's lock does not have/);
  expect(await attempt([{ ...entry, digest: "0".repeat(64) }])).toMatch(/lock\[0\] refers to a bundle that this host does not have/);
  expect(await attempt([{ ...entry, packages: ["x@9.9.9"] }])).toMatch(/lock\[0\] does not say what its bundle holds/);
  expect(await attempt([entry])).toBe("published");
  expect(await run("by-hand")).toBe(1);
  // Another tenant does not find it.
  await succeed(host.send("/v1/tenants", { body: { name: "other" } }));
  expect((await host.send(`/v1/flow-bundles/${digest}`)).status).toBe(200);
  expect((await host.send(`/t/other/v1/flow-bundles/${digest}`)).status).toBe(404);
  expect((await host.send("/v1/flow-bundles/..%2f..%2fetc")).status).toBe(404);
  // Callers of inline code name no bundle themselves.
  const inline = await host.send("/v1/code/execute", { body: { language: "javascript", code: "return typeof libs;", bundle: digest } });
  expect(JSON.stringify(inline.json)).not.toContain('"object"');
});

test("packages go with the branch that used them", SLOW, async () => {
  const { url, key } = host.local.connection;
  const made = await succeed(host.send("/v1/branches", { body: { name: "short", from: "main" } }));
  const branchHeaders = { "x-plinth-branch": "short", "x-plinth-branch-key": String(made.json["key"]) };
  const connection = { url, key, branchHeaders };
  const response = await upload({ "bundle.json": about(), "libs.js": GIVES.replace("1", "8") }, branchHeaders);
  const { digest } = (await response.json()) as { readonly digest: string };
  const lock = [{ language: "javascript", dependencies: ["x"], digest, packages: ["x@1.0.0"] }];
  await call(connection, "/v1/flows", { body: { definition: { ...flowOf("short-lived", scriptNode("return libs.x;", ["x"])), lock } } });
  expect(await call(connection, "/v1/flows/short-lived/runs", { body: { input: {}, waitMs: 30_000 } })).toMatchObject({ output: 8 });
  expect((await host.send("/v1/flows/short-lived")).status).toBe(404);
  expect((await host.send("/v1/branches/short", { method: "DELETE" })).status).toBeLessThan(300);
  await expect(call(connection, "/v1/flows/short-lived")).rejects.toThrow();
});
