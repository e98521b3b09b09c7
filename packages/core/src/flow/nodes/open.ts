/** `open` of nodes that call code: inputs that the code reads by pieces. */
import { limit } from "../../limits.ts";
import { shown } from "../../manifest/object-reader.ts";
import { didYouMean } from "../../manifest/near-miss.ts";
import type { Opens } from "../calls.ts";
import type { NodeReader } from "../node-reader.ts";
import { namesOf, type Template } from "../template.ts";
import { formField } from "./form-fields.ts";

export const OPEN_FIELD = formField("open", "array", "Names of inputs that the code gets as handles, and reads by pieces.");

/** `why` says what cannot read by pieces; null for what can. */
export function readOpen(reader: NodeReader, input: Template, why: string | null): readonly string[] {
  const names = reader.texts("open", "flowOpenedInputsMax");
  if (names.length > 0 && why !== null) reader.error("open", `has no effect: ${why}; remove it.`);
  const known = namesOf(input);
  for (const name of names) {
    if (name !== "" && known !== null && !known.includes(name))
      reader.error("open", `names \`${shown(name)}\`, which is no input of the node.${didYouMean(name, known)}`);
  }
  return names;
}

/** Nothing where nothing is opened, so that calls are written as before. */
export function opening(names: readonly string[]): Opens {
  return names.length === 0 ? {} : { open: names.slice(0, limit("flowOpenedInputsMax")) };
}
