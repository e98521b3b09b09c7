/** Waits for somebody: a callback, an approval or a signal. Every wait has a deadline. */
import { limit } from "../../limits.ts";
import { DURATION_FORM, durationMs } from "../durations.ts";
import { StepFailure } from "../flow-error.ts";
import { defineNode } from "../node-type.ts";
import type { WaitDescription } from "../calls.ts";
import type { ValueType } from "../definition.ts";
import type { Template } from "../template.ts";
import { formField } from "./form-fields.ts";

const KINDS = ["callback", "approval", "signal"] as const;
const ANSWER: ValueType = { record: { approved: "boolean", by: "string", at: "timestamp", form: "any" } };
const EMPTY: Template = { kind: "literal", value: { json: {} } };

export const wait = defineNode({
  type: "wait",
  title: "Wait",
  description: "Waits for a callback, an approval or a signal. No worker is held.",
  category: "wait",
  fields: [
    formField("for", "enum", "What it waits for.", { required: true, choices: KINDS }),
    formField("deadline", "text", `A duration; ${limit("flowWaitMs") / 86_400_000} days when absent.`, { editor: "expression" }),
    formField("onDeadline", "text", "Node that takes over after the deadline; the step fails when absent.", { editor: "node" }),
    formField("title", "text", "Approval: the question.", { editor: "expression" }),
    formField("form", "array", "Approval: fields that are filled in.", { editor: "list" }),
    formField("approvers", "array", "Approval: who may answer; anybody who may answer approvals when absent."),
    formField("signal", "text", "Signal: its name."),
    formField("details", "struct", "What whoever answers is shown.", { editor: "expression" }),
  ],
  read: (reader) => {
    const kind = reader.choice("for", KINDS, null);
    const title = reader.optionalTemplate("title", "string");
    const signal = reader.optionalText("signal");
    if (kind === "signal" && signal === null) reader.error("signal", "is missing; write the name of the signal.");
    if (kind === "approval" && title === null) reader.error("title", "is missing; write the question that is answered.");
    return {
      kind,
      title,
      signal: signal ?? "",
      form: reader.optionalTemplate("form", { list: "any" }),
      approvers: reader.texts("approvers", "flowApproversMax"),
      details: reader.optionalTemplate("details") ?? EMPTY,
      deadline: reader.duration("deadline"),
      late: reader.pointer("onDeadline"),
    };
  },
  output: ({ kind }) => (kind === "approval" ? ANSWER : "any"),
  resolve: ({ kind, title, signal, form, approvers, details, deadline }, resolver) => {
    const ms = deadline === null ? limit("flowWaitMs") : durationMs(resolver.value(deadline).json);
    if (ms === null) throw new StepFailure("invalid_input", `\`deadline\` is no duration; give ${DURATION_FORM}.`);
    return { ms, wait: describe() };

    function describe(): WaitDescription {
      switch (kind) {
        case "callback":
          return { kind, details: resolver.value(details) };
        case "signal":
          return { kind, name: signal };
        case "approval": {
          const text = title === null ? "" : resolver.value(title).json;
          return {
            kind,
            title: typeof text === "string" ? text : JSON.stringify(text),
            form: form === null ? { json: [] } : resolver.value(form),
            approvers,
            details: resolver.value(details),
          };
        }
      }
    }
  },
  execute: ({ ms, wait: description }, { late }, { nowMs }) => {
    const deadlineMs = nowMs + Math.min(ms, limit("flowWaitMsMax"));
    return { kind: "wait", wait: description, deadlineMs, late };
  },
});
