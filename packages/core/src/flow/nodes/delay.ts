/** Waits for a time. */
import { limit } from "../../limits.ts";
import { DURATION_FORM, durationMs, momentMs } from "../durations.ts";
import { StepFailure } from "../flow-error.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const delay = defineNode({
  type: "delay",
  aliases: ["sleep_for", "sleep_until"],
  title: "Delay",
  description: "Waits for a duration, or until a moment. No worker is held.",
  category: "wait",
  fields: [
    formField("for", "text", "A duration such as `3d`, or milliseconds.", { editor: "expression" }),
    formField("until", "text", "A moment, in place of a duration; one that has passed does not wait.", { editor: "expression" }),
  ],
  read: (reader) => {
    const [duration, moment] = [reader.duration("for"), reader.moment("until")];
    if ((duration === null) === (moment === null)) reader.error("for", "or `until` is needed, one of the two.");
    return { duration, moment };
  },
  output: () => ({ record: { until: "timestamp" } }),
  resolve: ({ duration, moment }, resolver) => {
    if (duration !== null) {
      const ms = durationMs(resolver.value(duration).json);
      if (ms === null) throw new StepFailure("invalid_input", `\`for\` is no duration; give ${DURATION_FORM}.`);
      return resolver.nowMs + ms;
    }
    const ms = moment === null ? null : momentMs(resolver.value(moment).json);
    if (ms === null)
      throw new StepFailure("invalid_input", "`until` is no moment; give a time with its zone, such as `2030-01-31T08:00:00Z`.");
    return ms;
  },
  execute: (untilMs, _, { nowMs }) => {
    const daysMax = limit("flowWaitMsMax") / 86_400_000;
    if (untilMs > nowMs + limit("flowWaitMsMax"))
      throw new StepFailure("limit", `a delay may last ${daysMax} days; wait in several steps.`);
    return { kind: "sleep", untilMs };
  },
});
