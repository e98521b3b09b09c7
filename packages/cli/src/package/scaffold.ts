/** A new package: a few files that check, build, push and activate as they are. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandFailure } from "../failure.ts";

export type Template = "node" | "python";

const MANIFEST = (name: string): string => `version: "2"
name: ${JSON.stringify(name)}
description: Greets whoever asks.

service_account:
  display_name: ${JSON.stringify(`${name} bot`)}
  scopes:
    self: []

inputs:
  organization:
    - name: greeting
      description: How to begin.
      field_type: text
      default_value: Hello
      ui:
        display_name: Greeting

functions:
  - name: greet
    description: Answers with a greeting.
  - name: on_activate
    description: Runs when the package is activated.

commands:
  - name: greet
    namespace: ${name.replaceAll("-", "_")}
    description: Greet somebody.
    surfaces:
      - surface: discussions
        object_types:
          - ticket
    usage_hint: "[name]"
    function: greet

hooks:
  - type: activate
    function: on_activate
`;

const NODE: Readonly<Record<string, (name: string) => string>> = {
  "manifest.yaml": MANIFEST,
  "code/package.json": (name) => `${JSON.stringify({ name, version: "1.0.0", private: true, main: "./dist/index.js" }, null, 2)}\n`,
  "code/tsconfig.json": () =>
    `${JSON.stringify({ compilerOptions: { strict: true, module: "nodenext", target: "es2024", noEmit: true, types: ["node"] }, include: ["src"] }, null, 2)}\n`,
  "code/src/index.ts": () => `export { functionFactory } from "./function-factory";\n`,
  "code/src/function-factory.ts": () => `import greet from "./functions/greet";
import on_activate from "./functions/on_activate";

/** Names of the manifest's functions → what runs. */
export const functionFactory = { greet, on_activate } as const;
`,
  "code/src/functions/greet/index.ts": () => `interface GreetEvent {
  payload: { parameters?: string };
  input_data: { global_values: { greeting?: string } };
}

export default async function run(events: GreetEvent[]) {
  const [event] = events;
  const name = event?.payload.parameters?.trim() || "world";
  const greeting = event?.input_data.global_values.greeting ?? "Hello";
  console.log(\`greeting \${name}\`);
  return { text: \`\${greeting}, \${name}!\` };
}
`,
  "code/src/functions/on_activate/index.ts": () => `export default async function run() {
  console.log("activated");
  return {};
}
`,
  ".gitignore": () => ".plinth/\nnode_modules/\ndist/\n",
};

const PYTHON: Readonly<Record<string, (name: string) => string>> = {
  "manifest.yaml": MANIFEST,
  "code/requirements.txt": () => "# Wheels that the package needs, one a line.\n",
  "code/function_factory.py": () => `"""Names of the manifest's functions and what runs."""
from functions.greet import run as greet
from functions.on_activate import run as on_activate

function_factory = {"greet": greet, "on_activate": on_activate}
`,
  "code/functions/__init__.py": () => "",
  "code/functions/greet.py": () => `def run(events):
    event = events[0]
    name = (event["payload"].get("parameters") or "world").strip()
    greeting = event["input_data"]["global_values"].get("greeting", "Hello")
    print(f"greeting {name}")
    return {"text": f"{greeting}, {name}!"}
`,
  "code/functions/on_activate.py": () => `def run(events):
    print("activated")
    return {}
`,
  ".gitignore": () => ".plinth/\n__pycache__/\n",
};

const TEMPLATES: Readonly<Record<Template, Readonly<Record<string, (name: string) => string>>>> = { node: NODE, python: PYTHON };

/** Writes the template into a folder that is new or empty; returns the files. */
export function scaffold(folder: string, name: string, template: Template): readonly string[] {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new CommandFailure(`The folder ${folder} is not empty. Choose another name, or empty it.`, 4);
  const files = Object.entries(TEMPLATES[template]);
  for (const [path, content] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content(name));
  }
  return files.map(([path]) => path);
}
