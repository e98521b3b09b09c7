/**
 * The script that runs inline JavaScript in the isolate runtime: one for all calls, so that it is compiled once. The code comes as data
 * and is the body of an async function that sees `inputs` and `keyrings`; what it returns is the result.
 */
export const INLINE_MODULE = "inline";

export const INLINE_JAVASCRIPT = `globalThis.__plinthModules = { ${INLINE_MODULE}: () => {
  const { parse, stringify } = JSON;
  const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
  const run = () => undefined;
  run.isAction = true;
  run.invokeAction = async (_, argsText) => {
    const [{ code, inputs, keyrings }] = parse(argsText);
    const value = await new AsyncFunction("inputs", "keyrings", code)(inputs, keyrings);
    return '{"result":' + (stringify(value) ?? "null") + ',"stdout":"","stderr":"","truncated":false}';
  };
  return { default: run };
} };`;
