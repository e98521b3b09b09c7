import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { AnalyzedFunction, AnalyzeResult } from "@plinth/core/protocol/runner-protocol.ts";
import { describe, expect, it } from "vitest";
import { checkAnalysis } from "./check-analysis.ts";

const ANY = JSON.stringify({ type: "any" });
const good: AnalyzedFunction = { path: "dir/module:name", kind: "query", visibility: "public", args: ANY, returns: "null" };

function analysis(changes: Partial<AnalyzeResult>): AnalyzeResult {
  return { functions: [good], schema: null, crons: null, httpRoutes: [], ...changes };
}

const check = (result: AnalyzeResult, pause = () => Promise.resolve()) => checkAnalysis(result, pause);

describe("what a version may declare", () => {
  it("is taken over when it is right", async () => {
    expect(await check(analysis({ httpRoutes: [{ path: "/hook", method: "POST" }] }))).toEqual({
      functions: [good],
      schemaText: null,
      cronsText: null,
      httpRoutes: [{ path: "/hook", method: "POST" }],
    });
  });

  it.each([
    "",
    "module",
    "module:",
    "../m:f",
    "a//b:f",
    "a/./b:f",
    "m:f g",
    "m:1",
    "m\n:f",
    "/m:f",
    `${"m".repeat(200)}:f`,
    "m:__proto__ ",
  ])("refuses the path %j", async (path) => {
    await expect(check(analysis({ functions: [{ ...good, path }] }))).rejects.toThrow("cannot be the path of a function");
  });

  it("refuses the same function twice", async () => {
    await expect(check(analysis({ functions: [good, good] }))).rejects.toThrow("is there twice");
  });

  it("refuses kinds and visibilities that it does not know", async () => {
    await expect(check(analysis({ functions: [{ ...good, kind: "analyze" as "query" }] }))).rejects.toThrow("unknown kind");
    await expect(check(analysis({ functions: [{ ...good, visibility: "all" as "public" }] }))).rejects.toThrow(
      "neither public nor internal",
    );
  });

  describe("of operations", () => {
    const described = {
      ...{ slug: null, displayName: null, description: "", type: "action", isWorkflowNode: true, isAgentSkill: false, effect: "outside" },
      ...{ timeoutMs: null, hasSchema: false, hasActivate: false, hasDeactivate: false, input: { kind: "open" }, output: { kind: "open" } },
    };
    const operation = JSON.stringify(described);
    const action: AnalyzedFunction = { ...good, path: "m:sendMail", kind: "action", operation };

    it("is kept beside the function", async () => {
      expect((await check(analysis({ functions: [action] }))).functions).toEqual([action]);
    });

    it("refuses what is no operation, with the function", async () => {
      await expect(check(analysis({ functions: [{ ...action, kind: "query" }] }))).rejects.toThrow("'m:sendMail' is no action");
      await expect(check(analysis({ functions: [{ ...action, operation: "{}" }] }))).rejects.toThrow("the operation 'm:sendMail' is wrong");
    });

    it("refuses two with one slug", async () => {
      const other = { ...action, path: "n:send_mail" };
      await expect(check(analysis({ functions: [action, other] }))).rejects.toThrow("'m:sendMail' and 'n:send_mail' have the same slug");
    });

    it("refuses more text than all of them may have", async () => {
      const long = JSON.stringify({ ...described, displayName: "x", padding: "x".repeat(limit("operationTextCharsMax") / 2) });
      const functions = Array.from({ length: (2 * limit("operationsTextCharsMax")) / limit("operationTextCharsMax") }, (_, i) => ({
        ...action,
        path: `m:f${i}`,
        operation: long,
      }));
      await expect(check(analysis({ functions }))).rejects.toThrow("more of themselves than a version may");
    });
  });

  it("lets others have the event loop between large validators", async () => {
    let pauses = 0;
    const args = JSON.stringify({ type: "literal", value: "x".repeat(limit("analysisSliceChars")) });
    const functions = Array.from({ length: 10 }, (_, i) => ({ ...good, path: `m:f${i}`, args }));
    await check(analysis({ functions }), async () => void pauses++);
    expect(pauses).toBe(10);
    await check(analysis({}), async () => void pauses++);
    expect(pauses).toBe(10);
  });

  it.each(["", "{", '{"type":"no"}', "[".repeat(10_000)])("refuses the validator %j and names the function", async (args) => {
    await expect(check(analysis({ functions: [{ ...good, args }] }))).rejects.toThrow("the `args` of 'dir/module:name' are wrong");
  });

  it("refuses a schema that cannot be read", async () => {
    await expect(check(analysis({ schema: "{}" }))).rejects.toThrow(plinthError("InvalidPackage", { detail: "" }).message.slice(0, 20));
  });

  it("refuses routes that no request can have", async () => {
    await expect(check(analysis({ httpRoutes: [{ path: "hook", method: "GET" }] }))).rejects.toThrow("cannot be a route");
    await expect(check(analysis({ httpRoutes: [{ path: "/hook", method: "TRACE" }] }))).rejects.toThrow("cannot be a route");
  });
});
