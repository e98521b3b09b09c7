/** Makes a text that names a function and can be stored or passed on. */
import { functionHandle } from "../function-address.ts";
import { resolvePublic } from "../intake.ts";
import { EVERYWHERE, type HostCall } from "./host-call.ts";
import { parseCall, pathOf } from "./parse-call.ts";

export const createFunctionHandle: HostCall = {
  kinds: EVERYWHERE,
  perform: async (frame, argText) => {
    const path = pathOf(parseCall("1.0/createFunctionHandle", argText));
    await resolvePublic(frame.options.core.parts, {
      scope: frame.options.run.accepted.scope,
      path,
      version: frame.options.version.digest,
      internalAllowed: true,
    });
    return JSON.stringify(functionHandle(path));
  },
};
