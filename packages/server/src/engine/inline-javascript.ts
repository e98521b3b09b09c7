/**
 * The script that runs inline JavaScript in the isolate runtime: one for all calls, so that it is compiled once. The code comes as data
 * and is the body of an async function that sees `inputs`, `keyrings`, `libs` where packages come with it, and the fields of `inputs`
 * that `names` lists; what it returns is the result. It begins on a line of its own, so that places in stacks are the author's.
 */
import { BUNDLE_GLOBAL } from "@plinth/core/flow/bundle.ts";
import { SCRIPT_FILE } from "@plinth/core/protocol/runner-protocol.ts";

export const INLINE_MODULE = "inline";

export const INLINE_JAVASCRIPT = `globalThis.__plinthModules = { ${INLINE_MODULE}: () => {
  const { parse, stringify } = JSON;
  const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
  // Packages that came with the code. Evaluated here, so that a context that is made ahead of its call has them.
  const libs = globalThis.${BUNDLE_GLOBAL}?.();
  delete globalThis.${BUNDLE_GLOBAL};
  const given = libs === undefined ? [] : ["libs"];
  const run = () => undefined;
  run.isAction = true;
  run.invokeAction = async (_, argsText) => {
    const [{ code, inputs, keyrings, names }] = parse(argsText);
    const fields = names.map((name) => inputs[name]);
    const value = await new AsyncFunction("inputs", "keyrings", ...given, ...names, code + "\\n//# sourceURL=${SCRIPT_FILE}")(inputs, keyrings, ...given.map(() => libs), ...fields);
    return '{"result":' + (stringify(value) ?? "null") + ',"stdout":"","stderr":"","truncated":false}';
  };
  return { default: run };
} };`;
