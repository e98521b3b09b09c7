/** Filters of triggers: CEL over `trigger`, the first context, and `now`. */
import { plinthError } from "@plinth/core/errors.ts";
import { compileExpression, type Expression } from "@plinth/core/flow/expressions/expression.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";

export class TriggerFilters {
  readonly #compiled = new Map<string, Expression>();

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
