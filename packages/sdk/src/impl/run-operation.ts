/** The four methods of an operation, as a host calls them. */
import { convexToJson, v, type Value } from "convex/values";
import { OperationError } from "../operation-error.ts";
import type { OperationSchema } from "../schema.ts";
import { isLater } from "../step.ts";
import type { Shapes } from "./describe-operation.ts";
import { isPlainObject, Misfit, shapeOf } from "./shape.ts";

export type Method = "execute" | "schema" | "activate" | "deactivate";

export interface OperationArgs extends Record<string, unknown> {
  /** `execute` when absent. */
  readonly method?: string;
  readonly port?: string;
  /** Where the input has a validator. */
  readonly input?: unknown;
  /** JSON, where it has none. */
  readonly inputText?: string;
}

/** See server/src/operations/function-defined/function-operations.ts. */
export interface OperationAnswer {
  text?: string;
  error?: Value;
  misfit?: Value;
  output?: { values: Value[] };
}

/** What each method runs; whoever declares an operation knows the types of its context and input. */
export interface Methods<Context> {
  readonly handler?: (ctx: Context, input: never) => unknown;
  readonly schema?: (ctx: Context, filled: Readonly<Record<string, unknown>>) => unknown;
  readonly activate?: (ctx: Context, input: never) => unknown;
  readonly deactivate?: (ctx: Context, input: never) => unknown;
}

/** What the host checks of a call. */
export function validatorsOf({ input, output }: Shapes) {
  const optionalText = v.optional(v.string());
  const returns = v.object({
    text: optionalText,
    error: v.optional(v.any()),
    misfit: v.optional(v.any()),
    output: v.optional(v.object({ values: v.array(output.validator ?? v.any()) })),
  });
  const args = { method: optionalText, port: optionalText, inputText: optionalText, input: v.optional(input.validator ?? v.any()) };
  return { args, returns };
}

export async function runOperation<Context>(
  methods: Methods<Context>,
  shapes: Shapes,
  { ctx, args }: { readonly ctx: Context; readonly args: OperationArgs },
): Promise<OperationAnswer> {
  try {
    const answer = await run(methods, shapes, { ctx, args });
    // The fields of a form have an order, which values do not keep.
    if ("schema" in answer || isLater(answer)) return { text: JSON.stringify(answer) };
    // What a validator describes is a value, or the fault of the handler.
    return "output" in answer && shapes.output.validator !== undefined ? (answer as OperationAnswer) : asValue(answer);
  } catch (error) {
    if (error instanceof OperationError) return { error: { message: error.message, type: error.type } };
    throw error;
  }
}

async function run<Context>(
  methods: Methods<Context>,
  shapes: Shapes,
  { ctx, args }: { readonly ctx: Context; readonly args: OperationArgs },
): Promise<object> {
  const given = args.inputText === undefined ? args.input : (JSON.parse(args.inputText) as unknown);
  const method = args.method ?? "execute";
  if (method === "schema") {
    const answer = await methods.schema?.(ctx, isPlainObject(given) ? given : {});
    return { schema: describeAnswer(answer) };
  }
  if (given === undefined) return { misfit: { of: "input", message: "The input is missing." } };
  const input = await fitting("input", () => shapes.input.read(given));
  if ("misfit" in input) return input;
  if (method === "activate" || method === "deactivate") {
    await methods[method]?.(ctx, input.value as never);
    return {};
  }
  if (method !== "execute" || methods.handler === undefined) throw new Error(`The operation has no method "${method}".`);
  const returned = await methods.handler(ctx, input.value as never);
  if (isLater(returned)) return returned;
  const output = await fitting("output", () => shapes.output.write(returned));
  if ("misfit" in output) return output;
  return { output: { values: output.value === undefined || output.value === null ? [] : [output.value] } };
}

async function fitting(of: "input" | "output", check: () => Promise<unknown>) {
  try {
    return { value: await check() };
  } catch (error) {
    if (error instanceof Misfit) return { misfit: { of, message: error.message } };
    throw error;
  }
}

function describeAnswer(answer: unknown): object {
  const { input, output } = (isPlainObject(answer) ? answer : {}) as {
    readonly input?: OperationSchema;
    readonly output?: OperationSchema;
  };
  return {
    ...(input === undefined ? {} : { input: shapeOf(input, "input").describe() }),
    ...(output === undefined ? {} : { output: shapeOf(output, "output").describe() }),
  };
}

/** Plain JSON has names and values that no value may have; it travels as text then. */
function asValue(answer: object): OperationAnswer {
  try {
    convexToJson(answer as Value);
    return answer as OperationAnswer;
  } catch {
    return { text: JSON.stringify(answer) };
  }
}
