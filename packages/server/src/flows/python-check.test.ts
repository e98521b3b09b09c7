/** Python of flows, parsed in a real jail when a flow is saved; and on a host that has none. */
import { checkFlow } from "@plinth/core/flow/check-definition.ts";
import type { FlowDefinition } from "@plinth/core/flow/definition.ts";
import { limit } from "@plinth/core/limits.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createSandbox, type JailedSandbox } from "../sandbox/pool.ts";
import { hasPython } from "../sandbox/runtimes/python.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { PythonChecks } from "./python-check.ts";

const SCOPE = { tenant: "a", branch: "main" };

function flowOf(nodes: Readonly<Record<string, object>>, more: object = {}): FlowDefinition {
  const checked = checkFlow({ format: 1, name: "checked", trigger: { type: "api" }, start: Object.keys(nodes)[0], nodes, ...more }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program.definition;
}

const python = (code: string, more: object = {}): object => ({ type: "code", data: { code, ...more } });

async function openSandbox(more: Partial<Parameters<typeof createSandbox>[0]> = {}): Promise<JailedSandbox> {
  return await createSandbox({ runtime: createSystemRuntime(), warmRunners: 0, warmInline: 0, ...more });
}

describe.skipIf(!(await hasPython()))("with Python", () => {
  let sandbox: JailedSandbox;
  beforeAll(async () => {
    sandbox = await openSandbox();
  }, 60_000);
  afterAll(() => sandbox.close());

  const found = async (definition: FlowDefinition, parts: Partial<ConstructorParameters<typeof PythonChecks>[0]> = {}) =>
    (await new PythonChecks({ tools: sandbox.tools, ...parts }).flowFindings(SCOPE, definition)).map(({ path, position, message }) => ({
      ...{ path, ...position },
      message: message.replace(/^.*: (?=[^:]*$)/, ""),
    }));

  test("every breach of the policy is found, with its node, line and column", { timeout: 60_000 }, async () => {
    const undo = { type: "code", data: { code: "return 1" } };
    const nodes = {
      a: { ...python("import os\nx = '😀é'; y = open(inputs['a'])\nprint(().__class__)"), next: "b", compensate: undo },
      b: { ...python("import math\nmath.floor(1.5)"), next: "c" },
      c: python("x = '\u2028'; y = )"),
    };
    expect(await found(flowOf(nodes))).toEqual([
      { path: "nodes.a.data.code", line: 1, column: 1, message: "the module 'os' is blocked." },
      { path: "nodes.a.data.code", line: 2, column: 16, message: "the built-in 'open' is not available." },
      { path: "nodes.a.data.code", line: 3, column: 7, message: "the attribute '__class__' begins with an underscore." },
      { path: "nodes.a.compensate.data.code", line: 1, column: 1, message: "'return' outside function." },
      { path: "nodes.c.data.code", line: 2, column: 8, message: "unmatched ')'." },
    ]);
  });

  test("code may import what its bundle offers, and anything foreign before it has one", { timeout: 60_000 }, async () => {
    const nodes = { a: python("import words\nimport letters, os", { dependencies: ["tiny-words"] }) };
    const digest = "ab".repeat(32);
    const lock = [{ language: "python", dependencies: ["tiny-words"], digest, packages: ["tiny-words==1.0.0"] }];
    const bundles = { get: () => Promise.resolve({ modules: ["words", "os"] } as never) };
    const blocked = { path: "nodes.a.data.code", line: 2, column: 1, message: "the module 'os' is blocked." };
    expect(await found(flowOf(nodes))).toEqual([blocked]);
    expect(await found(flowOf(nodes, { lock }), { bundles })).toEqual([
      { path: "nodes.a.data.code", line: 2, column: 1, message: "the module 'letters' is not available." },
    ]);
  });

  test("nothing of it runs, and what cannot be parsed is a finding", { timeout: 60_000 }, async () => {
    const codes = ["while True: pass", `x = ${"(".repeat(300)}1${")".repeat(300)}`, `x = ${"-".repeat(40_000)}1`, "x = '\\ud800'\nx = 1\0"];
    const nodes = Object.fromEntries(codes.map((code, at) => [`n${at}`, { ...python(code), next: at === 3 ? null : `n${at + 1}` }]));
    expect((await found(flowOf(nodes))).map(({ path }) => path)).toEqual([
      "nodes.n1.data.code",
      "nodes.n2.data.code",
      "nodes.n3.data.code",
    ]);
  });
});

test("a host without Python says that code was not checked", { timeout: 60_000 }, async () => {
  const sandbox = await openSandbox({ python: "/nonexistent/python3" });
  try {
    const checks = new PythonChecks({ tools: sandbox.tools });
    expect(await checks.flowFindings(SCOPE, flowOf({ a: { ...python("import os"), next: "b" }, b: python("1") }))).toEqual([
      {
        ...{ path: "nodes.a.data.code", node: "a", severity: "warning" },
        message: expect.stringMatching(/^nodes\.a\.data\.code was not checked, and cannot run on this host: .*python/) as string,
      },
    ]);
    expect(await checks.flowFindings(SCOPE, flowOf({ a: { type: "return", data: { value: 1 } } }))).toEqual([]);
  } finally {
    await sandbox.close();
  }
});

test("right code is parsed once, much code by parts, and what the jail says is hostile", async () => {
  const asked: number[] = [];
  let answer = (codes: readonly unknown[]): unknown => ({ findings: codes.map(() => []) });
  const run: JailTools["run"] = (_tenant, _tool, input) => {
    const { check } = input as { readonly check: readonly unknown[] };
    asked.push(check.length);
    return Promise.resolve(answer(check));
  };
  const checks = new PythonChecks({ tools: { run } });
  const long = `x = "${"a".repeat(limit("flowCodeBytesMax") - 100)}"`;
  const names = Array.from({ length: 7 }, (_, at) => `n${at}`);
  const nodes = Object.fromEntries(names.map((id, at) => [id, { ...python(`${long}\ny = ${at}`), next: names[at + 1] ?? null }]));
  expect(await checks.flowFindings(SCOPE, flowOf(nodes))).toEqual([]);
  expect(asked).toEqual([5, 2]);
  await checks.flowFindings(SCOPE, flowOf(nodes));
  expect(asked).toHaveLength(2);
  for (const bad of [null, {}, { findings: [] }, { findings: [{}] }, { findings: [[{ line: 9, column: 1, message: "x" }]] }]) {
    answer = () => bad;
    await expect(checks.flowFindings(SCOPE, flowOf({ a: python("new") }))).rejects.toMatchObject({ code: "ToolFailed" });
  }
});
