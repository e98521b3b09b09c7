import { actionGeneric } from "convex/server";
import { v } from "convex/values";
import { saveArtefact } from "@plinth/sdk";

export const leave = actionGeneric({
  args: { name: v.string() },
  handler: async (_, { name }) => {
    await saveArtefact({ name, contentType: "text/plain", body: "aaaaa" });
    return null;
  },
});
