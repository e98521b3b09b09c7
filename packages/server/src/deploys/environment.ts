/** Checks names and values of environment variables; both come from callers. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
/** Set by the host, so that they always say where it is. */
export const BUILT_IN_VARIABLES: readonly string[] = ["CONVEX_CLOUD_URL", "CONVEX_SITE_URL"];

export function checkVariables(changes: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (!NAME.test(name))
      throw wrong(
        `'${name.slice(0, 80)}' cannot be the name of a variable: it has 1 to 40 letters, digits and underscores and begins with a letter.`,
      );
    if (BUILT_IN_VARIABLES.includes(name)) throw wrong(`'${name}' is set by the host.`);
    if (value === null) continue;
    const bytes = Buffer.byteLength(value);
    const max = limit("environmentVariableBytesMax");
    if (bytes > max) throw plinthError("RequestTooLarge", { what: `variable '${name}'`, actual: `${bytes} bytes`, max: `${max} bytes` });
    if (!value.isWellFormed()) throw wrong(`The variable '${name}' is not well-formed Unicode.`);
  }
}

function wrong(detail: string) {
  return plinthError("BadRequest", { detail });
}
