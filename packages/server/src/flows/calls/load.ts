/** Stored values that a node reads in its expressions: they come with the input, as those of other calls do. */
import type { CallKind } from "./call.ts";

export const loadCall: CallKind<"load"> = {
  classOf: () => "compute",
  givesWhole: true,
  perform: (_parts, { input }) => Promise.resolve({ ok: true, output: input.json }),
};
