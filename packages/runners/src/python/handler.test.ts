/** Handlers of packages: where they are found, what comes of them, and what they reach through the host. */
import { afterEach, describe, expect, test } from "vitest";
import { type CallAnswerer, type Invocation, type PeerOutcome, RunnerPeer } from "../conformance/runner-peer.ts";
import { NO_PYTHON, packageFolder, python, pythonCommand } from "./test-python.ts";

const VERSION = "sha256-test";
const open: RunnerPeer[] = [];

afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close();
});

async function start(files: Readonly<Record<string, string>>, functions: readonly string[]) {
  const peer = new RunnerPeer(pythonCommand(packageFolder(files)));
  open.push(peer);
  await peer.hello();
  const loaded = await peer.load(VERSION, JSON.stringify({ functions }));
  return { peer, loaded };
}

/** Runs the function `run` of a source once. */
async function run(source: string, rest: Partial<Invocation> = {}): Promise<PeerOutcome> {
  const { peer, loaded } = await start({ "functions/f.py": source }, ["f"]);
  expect(loaded.envelope.type, loaded.text).toBe("loaded");
  return peer.invoke({ version: VERSION, kind: "handler", path: "f", ...rest });
}

const fetched = (over: object = {}): CallAnswerer => {
  return (_op, argText) => {
    const { url, method, bodyBase64 } = JSON.parse(argText) as { url: string; method: string; bodyBase64: string | null };
    const body = JSON.stringify({ url, method, body: bodyBase64 === null ? null : Buffer.from(bodyBase64, "base64").toString() });
    return JSON.stringify({
      url,
      status: 200,
      statusText: "OK",
      headers: [
        ["content-type", "application/json"],
        ["transfer-encoding", "chunked"],
        ["x-a", "1"],
      ],
      redirected: false,
      bodyBase64: Buffer.from(body).toString("base64"),
      ...over,
    });
  };
};

describe.skipIf(python === undefined)(`python handlers${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test("are found in a factory, a module or a folder, and analysed", async () => {
    const echo = "def run(events):\n  return events[0]\n";
    const { peer } = await start({ "functions/one.py": echo, "functions/two/__init__.py": echo }, ["one", "two"]);
    expect(await peer.invoke({ version: VERSION, kind: "handler", path: "two", args: { a: 1 } })).toMatchObject({ text: '{"a":1}' });
    const analysis = await peer.invoke({ version: VERSION, kind: "analyze" });
    expect(analysis.kind === "result" && JSON.parse(analysis.text)).toEqual({
      functions: ["one", "two"].map((path) => ({
        path,
        kind: "handler",
        visibility: "public",
        args: '{"type":"any"}',
        returns: '{"type":"any"}',
      })),
      schema: null,
      crons: null,
      httpRoutes: [],
    });
    const factory = "from lib.f import f\nfunction_factory = {'on-create': f}\n";
    const other = await start({ "function_factory.py": factory, "lib/f.py": "def f(events): return 5\n" }, ["on-create"]);
    expect(await other.peer.invoke({ version: VERSION, kind: "handler", path: "on-create" })).toMatchObject({ text: "5" });
  });

  test.each([
    [{ "functions/a.py": "def run(e): pass" }, ["a", "b", "../a"], "does not have: b, ../a"],
    [{ "function_factory.py": "function_factory = {}" }, ["a"], "function_factory.py does not have: a"],
    [{ "function_factory.py": "" }, ["a"], "no dict named"],
    [{ "functions/a.py": "run = 5" }, ["a"], "cannot be called"],
    [{ "functions/a.py": "raise SystemExit(0)" }, ["a"], "SystemExit: 0"],
    [{ "functions/a.py": "import nowhere" }, ["a"], "ModuleNotFoundError"],
  ])("that cannot be loaded say why: %j", async (files, functions, message) => {
    const { loaded } = await start(files as unknown as Record<string, string>, functions);
    expect(loaded.envelope.type).toBe("loadFailed");
    expect((JSON.parse(loaded.text) as { message: string }).message).toContain(message);
  });

  test("find dependencies in site-packages, behind the standard library", async () => {
    const { peer } = await start(
      {
        "functions/f.py": "import dep, json\ndef run(e): return [dep.x, 'loads' in dir(json)]",
        "site-packages/dep.py": "x = 7",
        "site-packages/json.py": "",
      },
      ["f"],
    );
    expect(await peer.invoke({ version: VERSION, kind: "handler", path: "f" })).toMatchObject({ text: "[7,true]" });
  });

  test("report exceptions with paths of the package", async () => {
    const outcome = await run("def inner():\n  raise ValueError('no')\ndef run(e):\n  inner()");
    expect(outcome).toMatchObject({
      kind: "error",
      failure: { message: "ValueError: no", stack: "    at inner (code/functions/f.py:2)\n    at run (code/functions/f.py:4)" },
    });
  });

  test.each([
    [
      "class FunctionExecutionError(Exception):\n  retry = True\n  refresh = True\ndef run(e): raise FunctionExecutionError('x')",
      { refresh: true },
    ],
    ["class E(Exception):\n  retry = True\ndef run(e): raise E('x')", { refresh: false }],
    ["class E(Exception):\n  retry = 'yes'\ndef run(e): raise E('x')", undefined],
    ["class E(Exception):\n  @property\n  def retry(self): raise SystemExit\ndef run(e): raise E('x')", undefined],
  ])("ask for a retry: %j", async (source, retry) => {
    const outcome = await run(source);
    expect(outcome.kind === "error" && outcome.failure.retry).toEqual(retry);
  });

  test.each([
    ["return float('nan')", "NaN"],
    ["import datetime\n  return datetime.datetime.now()", "a value of type datetime has no JSON form"],
    ["x = []\n  x.append(x)\n  return x", "contains itself"],
    ["raise SystemExit(0)", "SystemExit: 0"],
    ["class E(Exception):\n    def __str__(self): raise SystemExit\n  raise E", "E: <its text cannot be had: SystemExit>"],
    ["class E(Exception):\n    def __repr__(self): return 5\n    __str__ = __repr__\n  raise E", "E: <its text cannot be had: TypeError>"],
    ["return 'x' * 2_000", "may have 1000"],
  ])("fail with %j", async (body, message) => {
    const outcome = await run(`def run(e):\n  ${body}`, { limits: { resultBytes: 1000 } });
    expect(outcome).toMatchObject({ kind: "error", failure: { message: expect.stringContaining(message) as string } });
  });

  test.each(["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)", "import os; os.abort()"])(
    "C14 never succeed by ending: %s",
    async (body) => {
      await expect(run(`def run(e):\n  ${body}`)).rejects.toThrow("the runner ended");
    },
  );

  test("log with levels", async () => {
    const source = `
import logging, sys
log = logging.getLogger("a")
log.setLevel(logging.DEBUG)
logging.basicConfig(format="%(message)s")
def run(e):
  print("out")
  print("err", file=sys.stderr)
  sys.stdout.write("no end")
  log.debug("d"); log.info("i"); log.warning("w"); log.error("e")
`;
    const { logs } = await run(source);
    expect(logs.map(({ level, text }) => `${level} ${text}`)).toEqual([
      "log out",
      "error err",
      "debug d",
      "info i",
      "warn w",
      "error e",
      "log no end",
    ]);
  });

  test("see the environment of the call only", async () => {
    const outcome = await run("import os\ndef run(e): return dict(os.environ)", { env: { A: "1" } });
    expect(outcome).toMatchObject({ text: '{"A":"1"}' });
  });

  test("fetch through the host", async () => {
    const source = `
import plinth
def run(e):
  a = plinth.fetch("https://example.com/x", json={"b": 1})
  return [a.status, a.ok, a.headers["x-a"], a.json()]
`;
    const outcome = await run(source, { answer: fetched() });
    expect(outcome.kind === "result" && JSON.parse(outcome.text)).toEqual([
      200,
      true,
      "1",
      { url: "https://example.com/x", method: "POST", body: '{"b": 1}' },
    ]);
  });

  test("see a refusal of the host", async () => {
    const outcome = await run("import plinth\ndef run(e): plinth.fetch('http://a')", { answer: () => new Error("not allowed") });
    expect(outcome).toMatchObject({ kind: "error", failure: { message: "HostCallError: not allowed" } });
  });

  test("use urllib and http.client, which become host calls", async () => {
    const source = `
import http.client, json, urllib.request
def run(e):
  with urllib.request.urlopen(urllib.request.Request("http://example.com:81/a?b=1", data=b"body", headers={"X-B": "2"})) as answer:
    first = [answer.status, answer.headers["x-a"], json.loads(answer.read())]
  connection = http.client.HTTPSConnection("example.com")
  connection.request("GET", "/c")
  answer = connection.getresponse()
  return [first, answer.status, json.loads(answer.read())]
`;
    const outcome = await run(source, { answer: fetched() });
    expect(outcome.kind === "result" ? JSON.parse(outcome.text) : outcome.failure).toEqual([
      [200, "1", { url: "http://example.com:81/a?b=1", method: "POST", body: "body" }],
      200,
      { url: "https://example.com/c", method: "GET", body: null },
    ]);
    const sent = JSON.parse(outcome.calls[0]?.argText ?? "") as { headers: [string, string][]; redirect: string };
    expect(sent.redirect).toBe("manual");
    const names = sent.headers.map(([name]) => name.toLowerCase());
    expect(names).toContain("x-b");
    for (const name of ["host", "connection", "content-length"]) expect(names).not.toContain(name);
  });

  test("see statuses and refusals as urllib shows them", async () => {
    const source = `
import urllib.request, urllib.error
def run(e):
  try:
    urllib.request.urlopen("http://example.com/")
  except urllib.error.HTTPError as error:
    return error.code
  except urllib.error.URLError as error:
    return str(error.reason)
`;
    expect(await run(source, { answer: fetched({ status: 404 }) })).toMatchObject({ text: "404" });
    expect(await run(source, { answer: () => new Error("not allowed") })).toMatchObject({ text: '"not allowed"' });
  });

  test("await each other, timers and the host without a socket", async () => {
    const source = `
import asyncio, plinth
async def one(n):
  await asyncio.sleep(0.01 * n)
  return (await plinth.fetch_async(f"http://a/{n}")).json()["url"]
async def run(e):
  extra = asyncio.create_task(asyncio.sleep(100))
  threaded = await asyncio.to_thread(lambda: 3)
  return [*await asyncio.gather(one(2), one(1)), threaded]
`;
    const outcome = await run(source, { answer: fetched() });
    expect(outcome.kind === "result" ? JSON.parse(outcome.text) : outcome.failure).toEqual(["http://a/2", "http://a/1", 3]);
  });

  test("run a loop of their own", async () => {
    const source = `
import asyncio, plinth
async def main():
  await asyncio.sleep(0.001)
  return (await plinth.fetch_async("http://a/")).status
def run(e):
  return [asyncio.run(main()), asyncio.run(main())]
`;
    expect(await run(source, { answer: fetched() })).toMatchObject({ text: "[200,200]" });
  });

  test("cannot ask the host when their call is over", async () => {
    const source = `
import plinth, threading, time
said = []
threads = []
def later():
  time.sleep(0.05)
  try:
    plinth.fetch("http://a")
  except plinth.HostCallError as error:
    said.append(str(error))
def run(e):
  if threads:
    threads[0].join()
    return said
  threads.append(threading.Thread(target=later))
  threads[0].start()
`;
    const { peer } = await start({ "functions/f.py": source }, ["f"]);
    expect(await peer.invoke({ version: VERSION, kind: "handler", path: "f" })).toMatchObject({ text: "null", calls: [] });
    // The thread asks meanwhile, with no call running.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await peer.invoke({ version: VERSION, kind: "handler", path: "f" })).toMatchObject({
      text: '["Only a running call can ask the host."]',
    });
    expect(peer.strays).toEqual([]);
  });
});
