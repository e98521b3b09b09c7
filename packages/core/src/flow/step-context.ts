/**
 * What expressions of a step see: `trigger`, `vars`, `steps.<node>.output` and `.error`, `item` and `index` of the loop around,
 * `run` and `now`. A step that has not run reads as null; within a for_each its own node has `item` and `index` too.
 */
import type { Json, JsonObject } from "../operations/operation.ts";
import { momentText } from "./durations.ts";
import { StepFailure, StoredValueNeeded } from "./flow-error.ts";
import type { Resolver } from "./node-type.ts";
import type { RunDraft } from "./run-draft.ts";
import type { Frame } from "./state.ts";
import { resolveTemplate, type TemplateContext } from "./template.ts";
import { filled, type FlowValue, isRecord, NOTHING, recordValue, type StoredPart, type StoredValue } from "./value.ts";
import { limit } from "../limits.ts";

const EXPRESSION_COST_MAX = limit("expressionCostMax");
const STEP_COST_MAX = limit("flowCostMax");
const LOOPS: ReadonlySet<string> = new Set(["for_each", "while"]);

/** Resolves templates as the step at `frame` sees them. */
export function resolverOf(draft: RunDraft, frame: Frame): Resolver {
  const context = new StepContext(draft, frame);
  return {
    nowMs: draft.nowMs,
    value: (template) => resolveTemplate(template, context),
    loaded: (value, what) => context.loaded(value, what),
  };
}

/** The same where the results do not matter: what cannot be resolved is null. */
export function lenientResolverOf(draft: RunDraft, frame: Frame): Resolver {
  const resolver = resolverOf(draft, frame);
  return { ...resolver, value: (template) => valueOrNothing(() => resolver.value(template)) };
}

function valueOrNothing(value: () => FlowValue): FlowValue {
  try {
    return value();
  } catch (error) {
    if (error instanceof StepFailure) return NOTHING;
    throw error;
  }
}

class StepContext implements TemplateContext {
  readonly #draft: RunDraft;
  readonly #frame: Frame;
  /** What is left for all expressions of the step. */
  #left = STEP_COST_MAX;

  constructor(draft: RunDraft, frame: Frame) {
    this.#draft = draft;
    this.#frame = frame;
  }

  get costMax(): number {
    return Math.max(0, Math.min(EXPRESSION_COST_MAX, this.#left));
  }

  spent(cost: number): void {
    this.#left -= cost;
    this.#draft.cost += cost;
  }

  isLoaded({ value }: StoredPart): boolean {
    return this.#read(value) !== undefined;
  }

  loaded(value: FlowValue, what: string): FlowValue {
    const whole = value.stored?.find(({ path }) => path.length === 0);
    if (whole === undefined) return value;
    const json = this.#read(whole.value);
    if (json !== undefined) return { json };
    throw new StoredValueNeeded(
      `${what} is stored apart because of its size; page through it, or take the part that is needed in a script.`,
      [whole.value],
    );
  }

  /** What was read for this step. */
  #read({ digest }: StoredValue): Json | undefined {
    return this.#frame.loaded?.find((loaded) => loaded.digest === digest)?.json;
  }

  json(reads: readonly (readonly string[])[]): JsonObject {
    const context: Record<string, Json> = {};
    const steps: Record<string, Json> = {};
    for (const [root = "", id] of reads) {
      if (root === "steps" && id !== undefined) steps[id] = this.#filled(this.#step(id));
      else if (root === "run") context[root] = this.#run(id === undefined || id === "stored");
      else context[root] = this.#filled(this.#root(root) ?? NOTHING);
    }
    return Object.keys(steps).length === 0 ? context : { ...context, steps: { ...asRecord(context["steps"]), ...steps } };
  }

  #filled(value: FlowValue): Json {
    return value.stored === undefined ? value.json : filled(value, (stored) => this.#read(stored));
  }

  value(path: readonly string[]): { readonly value: FlowValue; readonly rest: readonly string[] } | null {
    const [root = "", name, field] = path;
    if (root === "steps" && name !== undefined) {
      if (field !== "output") return { value: this.#step(name), rest: path.slice(2) };
      return { value: this.#record(name)?.output ?? NOTHING, rest: path.slice(3) };
    }
    if (root === "vars" && name !== undefined) {
      const { variables } = this.#draft;
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      return value === undefined ? null : { value, rest: path.slice(2) };
    }
    const value = this.#root(root);
    return value === null ? null : { value, rest: path.slice(1) };
  }

  #root(name: string): FlowValue | null {
    switch (name) {
      case "trigger":
        return this.#draft.trigger;
      case "vars":
        this.spent(Object.keys(this.#draft.variables).length);
        return recordValue(this.#draft.variables);
      case "steps":
        return this.#allSteps();
      case "item":
        return this.#around((frame) => frame.item !== null)?.item ?? NOTHING;
      case "index":
        return { json: this.#around((frame) => this.#isLoop(frame))?.place ?? null };
      case "run":
        return { json: this.#run(true) };
      case "now":
        return { json: momentText(this.#draft.nowMs) };
      default:
        return null;
    }
  }

  #run(withStored: boolean): JsonObject {
    const { info, startedMs, program } = this.#draft;
    const main = this.#draft.frames[0];
    const error = main?.wait?.kind === "handler" ? main.wait.error : null;
    return {
      id: info?.id ?? "",
      flow: program.definition.name,
      startedAt: momentText(startedMs),
      company: { id: info?.company.id ?? "", name: info?.company.name ?? "" },
      error: error === null ? null : { code: error.code, message: error.message, node: error.node },
      ...(withStored ? { stored: this.#stored() } : {}),
    };
  }

  /** What is stored apart and what it is, by its path. */
  #stored(): JsonObject {
    const { trigger, variables } = this.#draft;
    const item = this.#root("item") ?? NOTHING;
    const all = recordValue({ trigger, vars: recordValue(variables), steps: this.#allSteps(), item });
    this.spent(all.stored?.length ?? 0);
    return Object.fromEntries(
      (all.stored ?? []).map(({ path, value: { bytes, contentType, digest } }) => [pathText(path), { bytes, contentType, digest }]),
    );
  }

  #allSteps(): FlowValue {
    const steps: Record<string, FlowValue> = {};
    this.spent(this.#draft.program.nodes.size);
    for (let frame: Frame | null = this.#frame; frame !== null; frame = this.#parent(frame)) {
      for (const id of this.#draft.program.chains.get(frame.chain)?.nodes ?? []) steps[id] ??= this.#step(id);
    }
    return recordValue(steps);
  }

  /** `{output, error}`, and for the loop around `item` and `index`. */
  #step(id: string): FlowValue {
    const record = this.#record(id);
    const error = record?.error ?? null;
    const fields: Record<string, FlowValue> = {
      output: record?.output ?? NOTHING,
      error: { json: error === null ? null : { code: error.code, message: error.message, node: error.node } },
    };
    const loop = this.#around((frame) => this.#isLoop(frame) && this.#container(frame) === id);
    return recordValue(loop === null ? fields : { ...fields, item: loop.item ?? NOTHING, index: { json: loop.place } });
  }

  #record(id: string): Frame["steps"][number] {
    const node = this.#draft.program.nodes.get(id);
    const frame = node === undefined ? null : this.#around(({ chain }) => chain === node.chain);
    return node === undefined || frame === null ? null : (frame.steps[node.slot] ?? null);
  }

  /** The nearest frame around for which `fits` holds, its own included. */
  #around(fits: (frame: Frame) => boolean): Frame | null {
    let frame: Frame | null = this.#frame;
    while (frame !== null && !fits(frame)) frame = this.#parent(frame);
    return frame;
  }

  #parent(frame: Frame): Frame | null {
    return frame.parent === null ? null : (this.#draft.frames[frame.parent] ?? null);
  }

  #container(frame: Frame): string | null {
    return this.#draft.program.chains.get(frame.chain)?.container ?? null;
  }

  #isLoop(frame: Frame): boolean {
    const container = this.#container(frame);
    return container !== null && LOOPS.has(this.#draft.program.nodes.get(container)?.type ?? "");
  }
}

/** `steps.get.output.rows[0].text` */
function pathText(path: StoredPart["path"]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("");
}

function asRecord(json: Json | undefined): JsonObject {
  return isRecord(json) ? json : {};
}
