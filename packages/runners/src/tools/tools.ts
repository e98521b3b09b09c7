/**
 * Plinth's own tools for hostile text, as a package for the node runtime: each function takes one input and answers with a
 * ToolAnswer. Bundled by `build-image.ts`.
 */
import { readYaml } from "@plinth/core/manifest/yaml-source.ts";
import type { ToolAnswer } from "./answers.ts";
import { runJq } from "./jq.ts";
import { readMime } from "./mime.ts";
import { runRego } from "./rego/rego.ts";
import { readScript } from "./script/script.ts";

type Tool = (input: never) => Promise<ToolAnswer>;

const tools: Readonly<Record<string, Tool>> = {
  yaml: async ({ text }: { readonly text: string }) => ({ value: readYaml(text) }),
  jq: runJq,
  rego: runRego,
  mime: readMime,
  script: readScript,
};

export const functionFactory = Object.fromEntries(
  Object.entries(tools).map(([name, tool]) => [name, ([input]: readonly [never]) => tool(input)]),
);
