/** Plinth's own section: how the code of the package runs. */
import type { PlinthSpec } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";

export const PLINTH_DEFAULTS: PlinthSpec = { runtime: "auto", reuse: null };

export function readPlinth(reader: ObjectReader): PlinthSpec {
  return {
    runtime: reader.choice("runtime", ["auto", "node", "python", "wasm"], "auto"),
    reuse: reader.optionalBoolean("reuse"),
  };
}
