/** The examples of the guide are manifests without findings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseManifest } from "./parse-manifest.ts";
import { readYaml } from "./yaml-source.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/guide/manifest.md"), "utf8");
const examples = [...guide.matchAll(/^## (.+)$|^```yaml\n([\s\S]*?)^```$/gm)].reduce<(readonly [string, string])[]>(
  (found, [, heading, text]) => [...found, [heading ?? found.at(-1)?.[0] ?? "", text ?? ""] as const],
  [],
);
const blocks = examples.filter(([, text]) => text !== "");

test("the guide has examples of all sections", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(11);
});

test.each(blocks)("%s", (_, text) => {
  const { json, lines, findings } = readYaml(text.startsWith("version:") ? text : `version: "2"\nname: Example\n${text}`);
  expect([...findings, ...parseManifest(json, lines).findings]).toEqual([]);
});
