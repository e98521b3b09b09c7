/** Types are checked when the project's are; what operations say of themselves, when these run. */
import { v } from "convex/values";
import * as valibot from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { operation, type OperationContext } from "./operation.ts";
import type { Checked, StandardSchema, Unchecked } from "./schema.ts";

function described(registered: object): Record<string, unknown> {
  return JSON.parse((registered as { exportOperation(): string }).exportOperation()) as Record<string, unknown>;
}

describe("types of operations", () => {
  it("come from Convex validators", () => {
    operation({
      input: { name: v.string(), count: v.optional(v.int64()) },
      output: v.object({ text: v.string() }),
      handler: async (ctx, input) => {
        expectTypeOf(ctx).toEqualTypeOf<OperationContext>();
        expectTypeOf(input).toEqualTypeOf<{ name: string; count?: bigint }>();
        return { text: input.name };
      },
    });
    operation({ input: v.union(v.literal("a"), v.number()), handler: (_, input) => expectTypeOf(input).toEqualTypeOf<"a" | number>() });
    // @ts-expect-error: the output is a text.
    operation({ input: {}, output: { text: v.string() }, handler: async () => ({ text: 1 }) });
    // @ts-expect-error: there is no such field.
    operation({ input: { name: v.string() }, handler: async (_, { nam }) => nam });
  });

  it("come from schemas of libraries: what was parsed goes in, what is to be parsed comes out", () => {
    const zod = z.object({ to: z.string(), n: z.string().transform(Number), k: z.boolean().default(true) });
    expectTypeOf<Checked<typeof zod>>().toEqualTypeOf<{ to: string; n: number; k: boolean }>();
    expectTypeOf<Unchecked<typeof zod>>().toEqualTypeOf<{ to: string; n: string; k?: boolean | undefined }>();
    operation({
      input: zod,
      output: zod,
      handler: async (_, input) => {
        expectTypeOf(input.n).toEqualTypeOf<number>();
        return { to: input.to, n: String(input.n) };
      },
    });
    operation({
      input: valibot.object({ n: valibot.pipe(valibot.string(), valibot.transform(Number)) }),
      output: valibot.number(),
      handler: (_, input) => input.n,
    });
    // @ts-expect-error: the output is a number.
    operation({ input: zod, output: valibot.number(), handler: () => "text" });
  });

  it("are those of triggers too", () => {
    operation({
      type: "trigger",
      input: { n: v.number() },
      activate: (_, { n }) => expectTypeOf(n).toEqualTypeOf<number>() as unknown as void,
    });
    // @ts-expect-error: a trigger is not executed.
    operation({ type: "trigger", input: {}, handler: async () => 1 });
    // @ts-expect-error: an action is executed.
    operation({ input: {} });
  });
});

describe("what an operation says of itself", () => {
  const schemaOf = (schema: StandardSchema) => described(operation({ input: schema, handler: () => null }))["input"];

  it("has defaults, and the validators", () => {
    expect(described(operation({ input: { n: v.number() }, output: v.string(), isAgentSkill: true, handler: () => "" }))).toEqual({
      slug: null,
      displayName: null,
      description: "",
      type: "action",
      isWorkflowNode: true,
      isAgentSkill: true,
      effect: "outside",
      timeoutMs: null,
      hasSchema: false,
      hasActivate: false,
      hasDeactivate: false,
      input: { kind: "validator", validator: { type: "object", value: { n: { fieldType: { type: "number" }, optional: false } } } },
      output: { kind: "validator", validator: { type: "object", value: { value: { fieldType: { type: "string" }, optional: false } } } },
    });
  });

  it("has the library's JSON Schema, without references", () => {
    interface Tree {
      readonly name: string;
      readonly children: readonly Tree[];
    }
    const tree: z.ZodType<Tree> = z.object({
      name: z.string(),
      get children() {
        return z.array(tree);
      },
    });
    expect(schemaOf(z.object({ tree, when: z.date() }))).toEqual({
      kind: "schema",
      schema: { type: "object", properties: { tree: {}, when: {} }, required: ["tree", "when"] },
    });
    expect(schemaOf(z.array(z.string()))).toMatchObject({
      schema: { properties: { value: { type: "array", items: { type: "string" } } }, required: ["value"] },
    });
  });

  it("is open where the library has none, or fails at it", () => {
    expect(schemaOf(valibot.object({ n: valibot.number() }))).toEqual({ kind: "open" });
    const failing: StandardSchema = z.object({ n: z.number() });
    const standard = {
      ...failing["~standard"],
      jsonSchema: {
        input: () => {
          throw new Error("no");
        },
        output: () => 1,
      },
    };
    expect(schemaOf({ "~standard": standard })).toEqual({ kind: "open" });
  });
});
