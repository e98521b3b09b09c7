import { describe, test } from "vitest";
import { describeRunner } from "../conformance/suite.ts";
import { NO_PYTHON, packageFolder, python, pythonCommand } from "./test-python.ts";

const SOURCE = `
import asyncio
import plinth

def echo(events):
    return events[0]["value"]

def ask(events):
    return plinth._open_calls().ask("plinth/test", {})["n"]

async def ask_many(events):
    answers = await asyncio.gather(*(plinth.call_async("plinth/test", {}) for _ in range(events[0]["count"])))
    return len(answers)

def fail(events):
    raise ValueError(events[0]["message"])

def spin(events):
    while True:
        pass

def spin_after_ask(events):
    plinth._open_calls().ask("plinth/test", {})
    while True:
        pass

async def wait(events):
    await asyncio.get_running_loop().create_future()

def fill(events):
    kept = []
    while True:
        kept.append([1, 2, str(len(kept))])

def log(events):
    for _ in range(events[0]["lines"]):
        print("y" * events[0]["chars"])

function_factory = {f.__name__: f for f in (echo, ask, ask_many, fail, spin, spin_after_ask, wait, fill, log)}
`;

const names = ["echo", "ask", "ask_many", "fail", "spin", "spin_after_ask", "wait", "fill", "log"];
const handler = (path: string) => ({ path, kind: "handler" as const });

if (python === undefined) describe.skip(`python conforms to the runner protocol (${NO_PYTHON})`, () => test("is skipped", () => {}));
else
  describeRunner({
    name: "python",
    command: async () => Promise.resolve(pythonCommand(packageFolder({ "function_factory.py": SOURCE }))),
    brokenCommand: async () => Promise.resolve(pythonCommand(packageFolder({ "function_factory.py": "function_factory = {" }))),
    oneCallPerProcess: true,
    gaps: { mark: "a Python process remembers what its modules hold; the host gives a call a new one unless the package asks for reuse" },
    programs: async () =>
      Promise.resolve({
        script: JSON.stringify({ functions: names }),
        brokenScript: JSON.stringify({ functions: names }),
        echo: handler("echo"),
        ask: handler("ask"),
        askMany: handler("ask_many"),
        fail: handler("fail"),
        spin: handler("spin"),
        spinAfterAsk: handler("spin_after_ask"),
        wait: handler("wait"),
        fill: handler("fill"),
        log: handler("log"),
        mark: handler("mark"),
      }),
  });
