/**
 * Agent skills: operations that agents call as tools, for a user and within a session of theirs. Which function runs is the
 * operation's business, so what is prepared here is a call of an operation.
 *
 * S1 An agent sees and calls what is marked as a skill and what its key or token may execute; nothing else exists for it.
 * S2 Only who may act as anybody names the user; a service account acts for the user of its token.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { JsonObject, Operation } from "@plinth/core/operations/operation.ts";
import { missingScope } from "@plinth/core/policy/operation-access.ts";
import type { Scope } from "../database/database.ts";
import type { Actor } from "../engine/invocation.ts";
import type { Executed, OperationCall, Operations } from "../operations/operations.ts";
import type { RunOptions } from "./modality-context.ts";

export interface AgentSkillTrigger {
  readonly skill: Operation;
  readonly input: JsonObject;
  readonly actor: Actor;
  /** The user who talks to the agent; that of the token when absent. */
  readonly userId?: string;
  readonly sessionId: string;
  readonly skillCallId: string;
}

export const AGENT_SKILLS = {
  name: "agentSkill",
  prepare: (scope: Scope, trigger: AgentSkillTrigger): OperationCall => {
    const { skill, input, actor, sessionId, skillCallId } = trigger;
    if (!isSkillFor(skill, actor)) throw plinthError("OperationNotFound", { name: skill.slug });
    const userId = userOf(trigger);
    return {
      scope,
      actor,
      operation: `${skill.namespace}/${skill.slug}`,
      source: "agentSkill",
      input,
      agent: { sessionId, skillCallId },
      priority: "interactive",
      ...(userId === undefined ? {} : { userId }),
    };
  },
} as const;

export async function listSkills(operations: Operations, scope: Scope, actor: Actor): Promise<readonly Operation[]> {
  return (await operations.list(scope)).filter((operation) => isSkillFor(operation, actor));
}

/** Runs a skill and waits for its end; rejects as `Operations.execute` does. */
export async function runSkill(
  operations: Operations,
  { scope, trigger, options = {} }: { readonly scope: Scope; readonly trigger: AgentSkillTrigger; readonly options?: RunOptions },
): Promise<Executed> {
  return await operations.execute({ ...AGENT_SKILLS.prepare(scope, trigger), ...options });
}

/** S1 */
export function isSkillFor(operation: Operation, actor: Actor): boolean {
  if (!operation.isAgentSkill || operation.type !== "action") return false;
  return missingScope({ actor, grants: actor.service?.objectScopes, operation }) === undefined;
}

/** S2 */
function userOf({ actor, userId }: AgentSkillTrigger): string | undefined {
  if (userId === undefined) return actor.service?.user ?? undefined;
  if (!actor.scopes.includes("admin")) throw plinthError("Forbidden", { scope: "admin" });
  // Names of users reach handlers, logs and names of tokens.
  if (!/^[\x21-\x7e]{1,300}$/.test(userId))
    throw plinthError("BadRequest", { detail: "The user must be 1 to 300 visible ASCII characters." });
  return userId;
}
