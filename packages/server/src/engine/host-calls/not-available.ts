/** Calls that functions written for Convex may make and that this host does not answer yet. */
import { plinthError } from "@plinth/core/errors.ts";
import { EVERYWHERE, type HostCall } from "./host-call.ts";

export function notAvailable(what: string): HostCall {
  return {
    kinds: EVERYWHERE,
    perform: async () => {
      throw plinthError("NotAvailable", { what });
    },
  };
}
