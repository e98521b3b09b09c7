import { operation, readValue, valueHandle, writeValue } from "@plinth/sdk";
import { actionGeneric, mutationGeneric } from "convex/server";
import { v } from "convex/values";

/** The same bytes, each added to one. */
export const shift = actionGeneric({
  args: { body: valueHandle },
  returns: v.object({ file: valueHandle, given: valueHandle, same: v.any() }),
  handler: async (_ctx, { body }) => {
    const source = async function* () {
      for await (const bytes of readValue(body)) yield bytes.map((byte) => byte + 1);
    };
    const file = await writeValue(source(), { contentType: "video/x-shifted" });
    return { file, given: body, same: { valueHandle: "value_of_somebody_else" } };
  },
});

/** How an attempt ends that uses handles in ways that it may not. */
export const misuse = actionGeneric({
  args: { body: v.any(), how: v.string(), handle: v.optional(v.string()) },
  handler: async (_ctx, { body, how, handle }) => {
    if (how === "forged") for await (const bytes of readValue({ ...body, valueHandle: handle ?? "value_x" })) return bytes.length;
    if (how === "leaks") return body.valueHandle;
    return typeof body;
  },
});

export const write = mutationGeneric({ args: { body: v.any() }, handler: async (_ctx, { body }) => typeof body });

/** Lines of a value of any size, from an offset on. */
export const lines = operation({
  description: "Counts the lines of a text.",
  input: { text: valueHandle, from: v.number() },
  output: { lines: v.number(), contentType: v.string(), first: v.string() },
  handler: async (_ctx, { text, from }) => {
    let all = "";
    const decoder = new TextDecoder();
    for await (const bytes of readValue(text, { from })) all += decoder.decode(bytes, { stream: true });
    const lines = all.split("\n");
    return { lines: lines.length, contentType: text.contentType, first: lines[0] ?? "" };
  },
});
