/** Who calls. Reading it makes a query's cached result that of this identity alone. */
import { EVERYWHERE, type HostCall } from "./host-call.ts";

export const getUserIdentity: HostCall = {
  kinds: EVERYWHERE,
  perform: async (frame) => {
    frame.options.run.identityRead = true;
    return JSON.stringify(frame.options.run.accepted.request.actor.identity ?? null);
  },
};
