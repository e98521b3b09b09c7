import { describeRunner } from "../conformance/suite.ts";
import { bundleVersion, runnerCommand } from "./test-version.ts";

const SOURCE = `
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
export const echo = queryGeneric({ handler: async (_ctx, { value }) => value });
export const ask = queryGeneric({ handler: async (ctx) => (await ctx.db.get("x")).n });
export const askMany = actionGeneric({ handler: async (ctx, { count }) => {
  const answers = await Promise.all(Array.from({ length: count }, () => ctx.runQuery("a:b", {})));
  return answers.length;
} });
export const fail = queryGeneric({ handler: async (_ctx, { message }) => { throw new Error(message); } });
export const spin = queryGeneric({ handler: async () => { for (;;); } });
export const spinAfterAsk = queryGeneric({ handler: async (ctx) => { await ctx.db.get("x"); for (;;); } });
export const wait = queryGeneric({ handler: () => new Promise(() => {}) });
export const fill = queryGeneric({ handler: async () => { const kept = []; for (;;) kept.push({ a: [1, 2, 3], b: "x" + kept.length }); } });
export const log = queryGeneric({ handler: async (_ctx, { lines, chars }) => { for (let i = 0; i < lines; i++) console.log("y".repeat(chars)); return null; } });
export const mark = mutationGeneric({ handler: async () => { const found = "mark" in globalThis || "mark" in Array.prototype; globalThis.mark = 1; Array.prototype.mark = 1; delete Array.prototype.mark; return found; } });
`;

describeRunner({
  name: "isolate",
  command: runnerCommand,
  programs: async () => ({
    script: (await bundleVersion({ f: SOURCE })).script,
    brokenScript: "globalThis.__plinthModules = {",
    echo: { path: "f:echo" },
    ask: { path: "f:ask" },
    askMany: { path: "f:askMany", kind: "action" },
    fail: { path: "f:fail" },
    spin: { path: "f:spin" },
    spinAfterAsk: { path: "f:spinAfterAsk" },
    wait: { path: "f:wait" },
    fill: { path: "f:fill" },
    log: { path: "f:log" },
    mark: { path: "f:mark", kind: "mutation" },
  }),
});
