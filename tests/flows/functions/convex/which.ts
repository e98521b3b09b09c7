import { queryGeneric } from "convex/server";

export const version = queryGeneric({ args: {}, handler: async () => "version-0" });
