/** Says that it is an operation, without the SDK: it answers with whatever its input says. */
import { internalActionGeneric } from "convex/server";

const action = internalActionGeneric({ handler: async (_, { inputText }: { inputText: string }) => JSON.parse(inputText).answer });

export const hostile = Object.assign(action, {
  isOperation: true,
  exportOperation: () =>
    JSON.stringify({
      ...{ slug: null, displayName: "__proto__", description: "\u0000", type: "action", isWorkflowNode: true, isAgentSkill: true },
      ...{ effect: "read", timeoutMs: null, hasSchema: true, hasActivate: true, hasDeactivate: false },
      ...{ input: { kind: "open" }, output: { kind: "open" } },
    }),
});
