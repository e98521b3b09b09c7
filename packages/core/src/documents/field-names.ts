/** Rules for the names of fields, tables and indexes. */
import { limit } from "../limits.ts";

const FIELD_NAME_MAX = limit("fieldNameBytesMax");
const IDENTIFIER_MAX = limit("identifierBytesMax");

/** What is wrong with the name of a field at any depth, as the rest of a sentence; null when nothing is. */
export function fieldNameProblem(name: string): string | null {
  if (name.length > FIELD_NAME_MAX) return `a field name has ${name.length} characters and may have ${FIELD_NAME_MAX}`;
  for (let i = 0; i < name.length; i += 1) {
    const unit = name.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return `the field name ${JSON.stringify(name.slice(0, 80))} has other characters than printable ASCII`;
  }
  if (name.startsWith("$")) return `the field name ${JSON.stringify(name.slice(0, 80))} begins with \`$\`, which is reserved`;
  return null;
}

/** What is wrong with the name of a table or index; null when nothing is. */
export function identifierProblem(name: string): string | null {
  if (name === "") return "it is empty";
  if (name.length > IDENTIFIER_MAX) return `it has ${name.length} characters and may have ${IDENTIFIER_MAX}`;
  if (name.startsWith("_")) return "names that begin with `_` are reserved";
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return "it has to begin with a letter and may hold letters, digits and `_` only";
  return null;
}

/** What is wrong with the name of a table that a validator refers to: system tables are allowed too. */
export function tableNameProblem(name: string): string | null {
  return identifierProblem(name.startsWith("_") ? name.slice(1) : name);
}
