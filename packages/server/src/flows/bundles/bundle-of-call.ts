import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { dependencySet, lockOf } from "@plinth/core/flow/dependencies.ts";
import type { InvocationRequest } from "../../engine/invocation.ts";
import type { CallOf, CallOfRun } from "../calls/call.ts";

/** What the request for inline code says of the packages that its node, or what undoes it, names. */
export function bundleOfCall(
  call: CallOf<"inline">,
  { program, command }: Pick<CallOfRun, "program" | "command">,
): Pick<InvocationRequest, "bundle"> {
  const { nodes, lock } = program.definition;
  const node = must(nodes[call.node], "the node of a call is there");
  const set = dependencySet(command.isUndo ? must(node.compensate, "what undoes it is there") : node);
  if (set === null) return {};
  const entry = lockOf(lock, set.language, set.dependencies);
  if (entry === null) throw plinthError("InvalidBundle", { detail: `the lock of the flow does not have what \`${call.node}\` names.` });
  return { bundle: entry.digest };
}
