/**
 * How names look, and what a manifest may refer to. A manifest refers by name to what it declares itself; ids of objects of
 * an organisation and names of other packages would grant it what is not its own, so they are errors.
 */
import { isReservedKey } from "../paths.ts";
import type { ObjectReader } from "../object-reader.ts";
import type { Report } from "../report.ts";
import { limit } from "../../limits.ts";

const NAME_CHARS_MAX = limit("manifestNameCharsMax");
const IDENTIFIER = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const FOREIGN = /^don:|^arn:|^[a-z]+:\/\/|\//i;

/** The name of something that is declared here, by which code finds it. */
export function identifier(reader: ObjectReader, key: string, what: string): string {
  const instead = `give ${what} a name of letters, digits, \`_\`, \`-\` and \`.\``;
  const name = reader.text(key, { required: true, charsMax: NAME_CHARS_MAX, pattern: IDENTIFIER, instead });
  if (!isReservedKey(name)) return name;
  reader.error(key, `is \`${name}\`, which is not allowed; choose another name.`);
  return "";
}

/** The name of something that people read, in one line. */
export function title(reader: ObjectReader, key: string, what: string): string {
  return reader.label(key, { required: true, instead: `give ${what} a name of one line` });
}

/** The name of something declared elsewhere in the manifest; null when it is absent or wrong. */
export function reference(reader: ObjectReader, key: string, what: string, required: boolean): string | null {
  const name = reader.optionalText(key, { required, charsMax: NAME_CHARS_MAX, instead: `name ${what}` });
  if (name === null || !isForeign(name)) return name;
  reader.error(key, foreign(what));
  return null;
}

/** Whether a name points at something that is not declared in the same manifest. */
export function isForeign(name: string): boolean {
  return FOREIGN.test(name);
}

export function foreign(what: string): string {
  return `names something that belongs to another package or organisation; name ${what} that this manifest declares.`;
}

/** Reports entries whose name was there before. */
export function refuseRepeated(report: Report, entries: readonly { readonly name: string; readonly path: string }[], what: string): void {
  const first = new Map<string, string>();
  for (const { name, path } of entries) {
    if (name === "") continue;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, path);
    else report.error(path, `${path} has the ${what} \`${name}\`, as ${earlier} has; give it another one.`);
  }
}
