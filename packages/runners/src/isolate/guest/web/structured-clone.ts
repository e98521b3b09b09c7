import "./shims/no-structured-clone.ts";
import structuredClone from "core-js-pure/actual/structured-clone";

export { structuredClone };
