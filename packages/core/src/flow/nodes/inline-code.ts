/** What the two nodes with code in them share. */
import { limit } from "../../limits.ts";
import { shown } from "../../manifest/object-reader.ts";
import { DEPENDENCY_FORMS, type DependencyLanguage, namedTwice, parseDependency } from "../dependencies.ts";
import type { NodeReader } from "../node-reader.ts";
import { formField } from "./form-fields.ts";

export const CODE_FIELDS = [
  formField("code", "text", "The code.", { required: true, editor: "code" }),
  formField("input", "struct", "Values that the code gets besides the context of the run.", { editor: "expression" }),
  formField("mode", "enum", "`async` for long work: the run waits without a worker until the code has ended.", {
    choices: ["sync", "async"],
  }),
  formField("dependencies", "array", "Packages that the code uses, with their versions."),
];

/** The text of the code is checked by a parser in the jail when the flow is published. */
export function readCode(
  reader: NodeReader,
  language: DependencyLanguage,
): { readonly mode: "sync" | "async"; readonly input: ReturnType<NodeReader["inputs"]> } {
  const code = reader.raw("code");
  const charsMax = limit("flowCodeBytesMax");
  if (typeof code !== "string" || code.trim() === "") reader.error("code", "is empty; write what the node does, or remove it.");
  else if (utf8Bytes(code) > charsMax)
    reader.error("code", `has more than ${charsMax} bytes; move parts of it into a function and call that.`);
  const dependencies = reader.texts("dependencies", "flowDependenciesMax");
  const twice = namedTwice(language, dependencies);
  if (twice !== null) reader.error("dependencies", `name \`${shown(twice)}\` twice; keep one of them.`);
  for (const [at, text] of dependencies.entries())
    if (text !== "" && parseDependency(language, text) === null)
      reader.error(`dependencies[${at}]`, `is \`${shown(text)}\`, which names no package of a registry; ${DEPENDENCY_FORMS[language]}.`);
  return { mode: reader.choice("mode", ["sync", "async"], "sync"), input: reader.inputs("input") };
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // A pair of surrogates is two units and four bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
