/** A partial result of an action, for those who watch it. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { parseValueText } from "@plinth/core/documents/values.ts";
import { OUTGOING, type HostCall } from "./host-call.ts";
import { parseCall } from "./parse-call.ts";

export const emit: HostCall = {
  kinds: OUTGOING,
  perform: async (frame, argText) => {
    const valueText = JSON.stringify(parseCall("plinth/emit", argText).get("value") ?? null);
    const max = limit("partialResultBytesMax");
    const actual = Buffer.byteLength(valueText);
    if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of a partial result", actual, max });
    parseValueText(valueText);
    frame.options.run.partial(valueText);
    return "null";
  },
};
