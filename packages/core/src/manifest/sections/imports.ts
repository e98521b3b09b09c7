/** `imports` and `build_config`. */
import type { BuildVariableSpec, ImportSpec } from "../manifest.ts";
import { didYouMean } from "../near-miss.ts";
import { oneOf, type ObjectReader } from "../object-reader.ts";
import { foreign, identifier, isForeign, reference } from "./names.ts";

const CAPABILITIES: readonly string[] = ["TIME_SCOPED_SYNCS"];
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** Variables that decide how a build or a host works; a package would change both through them. */
const HOST_VARIABLE =
  /^(?:PATH|HOME|SHELL|USER|LOGNAME|PWD|TMPDIR|IFS|ENV|BASH_.*|LD_.*|DYLD_.*|NODE_.*|NPM_.*|PYTHON.*|PLINTH_.*|SSL_.*|.*_PROXY)$/i;
/** Text that a shell or a template would fill with a variable of the host. */
const SUBSTITUTION = /\$\{|\$\(|\{\{|`/;

export function readImport(reader: ObjectReader): ImportSpec {
  const slug = identifier(reader, "slug", "the slug of each import");
  const capabilities = reader.texts("capabilities", "manifestEventTypesMax");
  for (const [i, capability] of capabilities.entries()) {
    const path = `${reader.at("capabilities")}[${i}]`;
    if (capability !== "" && !CAPABILITIES.includes(capability)) {
      reader.report.warning(
        path,
        `${path} is no known capability; known is ${oneOf(CAPABILITIES)}.${didYouMean(capability, CAPABILITIES)}`,
      );
    }
  }
  const allowed = reader.texts("allowed_connection_types", "manifestKeyringTypesMax").map((type, i) => {
    if (!isForeign(type)) return type;
    const path = `${reader.at("allowed_connection_types")}[${i}]`;
    reader.report.error(path, `${path} ${foreign("a keyring type")}`);
    return "";
  });
  if (reader.isEmpty("allowed_connection_types"))
    reader.error("allowed_connection_types", "is missing or empty; list ids of `keyring_types`.");
  return {
    slug,
    displayName: reader.label("display_name", { fallback: slug }),
    description: reader.text("description"),
    extractorFunction: reference(reader, "extractor_function", "a function", true) ?? "",
    loaderFunction: reference(reader, "loader_function", "a function", false),
    allowedConnectionTypes: allowed,
    capabilities,
  };
}

export function readBuildVariable(reader: ObjectReader): BuildVariableSpec {
  const name = reader.text("name", { required: true, pattern: VARIABLE, instead: "give each variable a name of letters, digits and `_`" });
  if (HOST_VARIABLE.test(name)) reader.error("name", `is \`${name}\`, which belongs to the host that builds; choose another name.`);
  const value = reader.text("value");
  if (SUBSTITUTION.test(value)) reader.error("value", "looks like a variable of the host; write the value itself.");
  else if (isForeign(value) && /^don:/i.test(value)) reader.error("value", foreign("a developer keyring"));
  return { name, description: reader.text("description"), type: reader.choice("type", ["keyring", "text"], "text"), value };
}
