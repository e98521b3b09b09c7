import { plinthError } from "@plinth/core/errors.ts";
import type { AnalyzedFunction, AnalyzeResult } from "@plinth/core/protocol/runner-protocol.ts";
import { describe, expect, it } from "vitest";
import { checkAnalysis } from "./check-analysis.ts";

const ANY = JSON.stringify({ type: "any" });
const good: AnalyzedFunction = { path: "dir/module:name", kind: "query", visibility: "public", args: ANY, returns: "null" };

function analysis(changes: Partial<AnalyzeResult>): AnalyzeResult {
  return { functions: [good], schema: null, crons: null, httpRoutes: [], ...changes };
}

describe("what a version may declare", () => {
  it("is taken over when it is right", () => {
    expect(checkAnalysis(analysis({ httpRoutes: [{ path: "/hook", method: "POST" }] }))).toEqual({
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
  ])("refuses the path %j", (path) => {
    expect(() => checkAnalysis(analysis({ functions: [{ ...good, path }] }))).toThrow("cannot be the path of a function");
  });

  it("refuses the same function twice", () => {
    expect(() => checkAnalysis(analysis({ functions: [good, good] }))).toThrow("is there twice");
  });

  it("refuses kinds and visibilities that it does not know", () => {
    expect(() => checkAnalysis(analysis({ functions: [{ ...good, kind: "analyze" as "query" }] }))).toThrow("unknown kind");
    expect(() => checkAnalysis(analysis({ functions: [{ ...good, visibility: "all" as "public" }] }))).toThrow(
      "neither public nor internal",
    );
  });

  it.each(["", "{", '{"type":"no"}', "[".repeat(10_000)])("refuses the validator %j and names the function", (args) => {
    expect(() => checkAnalysis(analysis({ functions: [{ ...good, args }] }))).toThrow("the `args` of 'dir/module:name' are wrong");
  });

  it("refuses a schema that cannot be read", () => {
    expect(() => checkAnalysis(analysis({ schema: "{}" }))).toThrow(plinthError("InvalidPackage", { detail: "" }).message.slice(0, 20));
  });

  it("refuses routes that no request can have", () => {
    expect(() => checkAnalysis(analysis({ httpRoutes: [{ path: "hook", method: "GET" }] }))).toThrow("cannot be a route");
    expect(() => checkAnalysis(analysis({ httpRoutes: [{ path: "/hook", method: "TRACE" }] }))).toThrow("cannot be a route");
  });
});
