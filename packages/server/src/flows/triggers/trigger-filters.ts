/** Filters of triggers: CEL over `trigger`, the first context, and `now`. */
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowDefinition } from "@plinth/core/flow/definition.ts";
import { compileExpression, type Expression } from "@plinth/core/flow/expressions/expression.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";

/** Whoever starts these gives the input. */
const BY_HAND: ReadonlySet<string> = new Set(["manual", "api", "subflow"]);

export class TriggerFilters {
  readonly #compiled = new Map<string, Expression>();

  /**
   * Throws FlowFiltered where the filter of a flow says no. Whoever starts one by hand that other things start means it, and is not
   * asked.
   */
  check({ name, trigger }: FlowDefinition, start: { readonly by: string | undefined; readonly input: Json; readonly nowMs: number }): void {
    const { by = "manual", input, nowMs } = start;
    const isMeant = by === trigger.type || (by === "manual" && BY_HAND.has(trigger.type));
    if (trigger.filter !== null && isMeant && !this.says(trigger.filter, input, nowMs)) throw plinthError("FlowFiltered", { flow: name });
  }

  /** Throws FlowFilterFailed. */
  says(filter: string, trigger: Json, nowMs: number): boolean {
    const said = this.#expression(filter).evaluate({ trigger, now: new Date(nowMs).toISOString() });
    if (!said.ok) throw plinthError("FlowFilterFailed", { detail: said.error.message });
    if (typeof said.value !== "boolean") throw plinthError("FlowFilterFailed", { detail: "It has to be true or false." });
    return said.value;
  }

  #expression(filter: string): Expression {
    const known = this.#compiled.get(filter);
    if (known !== undefined) return known;
    // Types were checked when the flow was saved.
    const compiled = compileExpression(filter, { trigger: "any", now: "timestamp" });
    if (!compiled.ok) throw plinthError("FlowFilterFailed", { detail: compiled.findings[0]?.message ?? "It cannot be read." });
    if (this.#compiled.size >= limit("flowProgramsMax")) this.#compiled.clear();
    this.#compiled.set(filter, compiled.expression);
    return compiled.expression;
  }
}
