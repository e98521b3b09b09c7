import { later, operation, step } from "@plinth/sdk";
import { actionGeneric } from "convex/server";
import { v } from "convex/values";

/** Gives what it knows of its step to the world. */
async function tell(world: string): Promise<void> {
  await fetch(world, { method: "POST", body: JSON.stringify(step()) });
}

export const long = actionGeneric({
  args: { world: v.string() },
  handler: async (_ctx, { world }) => {
    await tell(world);
    return later();
  },
});

export const print = operation({
  description: "Prints something, which takes its time.",
  input: { world: v.string() },
  output: { pages: v.number() },
  handler: async (_ctx, { world }) => {
    await tell(world);
    return later();
  },
});
