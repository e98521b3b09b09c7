import { describeRunner, type FunctionOf } from "../conformance/suite.ts";
import { runnerCommand, snapIn, writePackage } from "./test-package.ts";

const ASK = 'const ask = async () => JSON.parse(await Convex.asyncSyscall("test/ask", "{}")).n;';
const FUNCTIONS = {
  echo: "async ([{ value }]) => value",
  ask: "async () => ask()",
  askMany: "async ([{ count }]) => (await Promise.all(Array.from({ length: count }, ask))).length",
  fail: "async ([{ message }]) => { throw new Error(message); }",
  spin: "async () => { for (;;); }",
  spinAfterAsk: "async () => { await ask(); for (;;); }",
  wait: "() => new Promise(() => {})",
  fill: 'async () => { const kept = []; for (;;) kept.push({ a: [1, 2, 3], b: "x" + kept.length }); }',
  log: 'async ([{ lines, chars }]) => { for (let i = 0; i < lines; i++) console.log("y".repeat(chars)); return null; }',
  mark: 'async () => { const found = "MARK" in process.env || process.listenerCount("mark") > 0; process.env.MARK = "1"; process.on("mark", () => {}); return found; }',
};
const handler = (path: string): FunctionOf => ({ path, kind: "handler" });

describeRunner({
  name: "node",
  oneCallPerProcess: true,
  command: async () => runnerCommand(await writePackage(snapIn(FUNCTIONS, ASK))),
  brokenCommand: async () => runnerCommand(await writePackage(snapIn({}, "this is no JavaScript"))),
  programs: async () =>
    Promise.resolve({
      script: JSON.stringify({ functions: Object.keys(FUNCTIONS) }),
      brokenScript: JSON.stringify({ functions: ["echo"] }),
      echo: handler("echo"),
      ask: handler("ask"),
      askMany: handler("askMany"),
      fail: handler("fail"),
      spin: handler("spin"),
      spinAfterAsk: handler("spinAfterAsk"),
      wait: handler("wait"),
      fill: handler("fill"),
      log: handler("log"),
      mark: handler("mark"),
    }),
});
