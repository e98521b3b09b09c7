import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { must } from "@plinth/core/assert.ts";
import { parseManifest } from "@plinth/core/manifest/parse-manifest.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import { handlerOf, splitPath } from "./handlers.ts";

const read = parseManifest(
  {
    version: "2",
    name: "sync",
    description: "",
    functions: ["extract", "load", "slow", "quick", "plain"].map((name) => ({ name, description: "" })),
    operations: [
      { name: "slow", slug: "slow", function: "slow", type: "action", execute_options: { default_timeout: 45 } },
      { name: "quick", slug: "quick", function: "quick", type: "action", execute_options: { default_timeout: 5 } },
    ],
  },
  undefined,
);
const sync = {
  slug: "a",
  displayName: "A",
  description: "",
  extractorFunction: "extract",
  loaderFunction: "load",
  allowedConnectionTypes: [],
  capabilities: [],
};
const manifest = { ...must(read.manifest, "it is valid"), imports: [sync] };

test.each([
  ["extract", limit("importWallMs")],
  ["load", limit("importWallMs")],
  ["slow", 45_000],
  ["quick", null],
  ["plain", null],
])("the time of %s follows from what calls it", (name, timeoutMs) => {
  const resolved = handlerOf({ name: "sync", function: name }, { manifest }, {} as VersionCode);
  expect(resolved?.handler?.timeoutMs).toBe(timeoutMs);
});

test("paths of handlers have two parts", () => {
  expect(splitPath("@sync/extract")).toEqual({ name: "sync", function: "extract" });
  expect(splitPath("sync:extract")).toBeUndefined();
});
