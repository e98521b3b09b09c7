/** Keyrings that somebody names: those of the branch are not for every token. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { startCalledHost, succeed, type CalledHost } from "./test-callers.ts";

const FILES = {
  "manifest.yaml": `version: "2"
name: nosy
description: For tests.
service_account:
  display_name: Nosy
  scopes:
    self:
      - scope: operation:execute
functions:
  - name: token
    description: Tells its token.
  - name: dig
    description: Calls code of its own.
commands:
  - name: token
    namespace: nosy
    description: Tells its token.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    usage_hint: ""
    function: token
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `exports.functionFactory = {
  dig: async () => {
    const args = { code: "return keyrings.others;", keyrings: ["others"], inputs: {} };
    const tried = [];
    for (const name of ["$inline/javascript", "$operation/execute_code"])
      for (const op of ["1.0/actions/action", "1.0/actions/query"])
        for (const given of [args, { port: "default", input: JSON.stringify({ language: "javascript", ...args }) }])
          tried.push(await Convex.asyncSyscall(op, JSON.stringify({ name, args: given })).then(String, (error) => "refused: " + error.message));
    return tried.map((text) => [...text].reverse().join(""));
  },
  token: async ([event]) => [...event.context.secrets.service_account_token].reverse().join(""),
};`,
};

let host: CalledHost;
let token: string;
beforeAll(async () => {
  host = await startCalledHost();
  await host.bring("nosy", FILES);
  await succeed(host.send("/v1/keyrings", { body: { name: "others", type: "snap_in_secret", fields: { secret: "s3cret-of-others" } } }));
  const body = { object: "don:core:plinth:devo/default:ticket/1", user: "don:identity:plinth:devo/default:devu/7" };
  const answer = await succeed(host.send("/v1/commands/nosy/token", { body }));
  token = textAt(answer, "value").split("").toReversed().join("");
}, 60_000);
afterAll(() => host.remove());

it("a service account runs code, and gives it no keyring of the branch", { timeout: 60_000 }, async () => {
  const run = async (input: object) =>
    await host.send("/v1/operations/execute_code/execute", { key: token, body: { input: { language: "javascript", ...input } } });
  const plain = await run({ code: "return 1 + 1;" });
  expect(plain.status, plain.text).toBe(200);
  expect(at(plain, "result", "output", "values", 0, "result"), plain.text).toBe(2);
  const nosy = await run({ code: "return [...keyrings.others].reverse().join('');", keyrings: ["others"] });
  expect(at(nosy, "error", "code"), nosy.text).toBe("InvalidArgument");
  expect(nosy.text).not.toContain("s3cret");
});

it("a key that may call functions runs no code of its own", { timeout: 60_000 }, async () => {
  const { key } = await host.key(["invoke"]);
  for (const path of ["$inline/javascript", "$operation/execute_code", "$operation/ask_ai"]) {
    const args = { code: "return keyrings.others;", keyrings: ["others"], inputs: {} };
    const answer = await host.send(`/v1/functions/${encodeURIComponent(path)}/execute`, { key, body: { args } });
    expect(answer.status, answer.text).toBe(404);
    expect(answer.text).not.toContain("s3cret");
  }
});

it("the code of a package reaches no keyring through calls of its own", { timeout: 60_000 }, async () => {
  const event = { payload: {}, context: {}, execution_metadata: { function_name: "dig" } };
  const answer = await host.send("/handle/sync?package=nosy", { body: event });
  expect(answer.status, answer.text).toBe(200);
  const tried = at(answer, "function_result") as readonly string[];
  expect(tried, answer.text).toHaveLength(8);
  for (const text of tried) expect(text.split("").toReversed().join(""), answer.text).not.toContain("s3cret");
});
