/** `commands.list`: what users can type. */
import { listCommands as commandsOf } from "../../modalities/commands.ts";
import { partName } from "../../snap-ins/ids.ts";
import type { FacadeCall } from "./call.ts";

/** `{}` → `{commands}`. */
export const listCommands: FacadeCall = {
  scope: null,
  handle: async (context, { caller }) => ({
    commands: (await commandsOf(context, caller.scope)).map(({ namespace, name, description, usageHint, surfaces, snapIn }) => ({
      id: partName(caller.scope, snapIn, { kind: "command", name: `${namespace}.${name}` }),
      namespace,
      name,
      description,
      usage_hint: usageHint,
      surfaces: surfaces.map(({ surface, objectTypes }) => ({ surface, object_types: objectTypes })),
    })),
  }),
};
