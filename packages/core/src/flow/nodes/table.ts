/** The types of nodes: one line each. */
import type { NodeType } from "../node-type.ts";
import { action } from "./action.ts";
import { assignment } from "./assignment.ts";
import { code } from "./code.ts";
import { decision } from "./decision.ts";
import { delay } from "./delay.ts";
import { forEach } from "./for-each.ts";
import { goBack } from "./go-back.ts";
import { invoke } from "./invoke.ts";
import { lookup } from "./lookup.ts";
import { parallel } from "./parallel.ts";
import { returnNode } from "./return.ts";
import { router } from "./router.ts";
import { script } from "./script.ts";
import { setAiAgentSkillOutput } from "./set-ai-agent-skill-output.ts";
import { subflow } from "./subflow.ts";
import { talkToAgent } from "./talk-to-agent.ts";
import { wait } from "./wait.ts";
import { webhook } from "./webhook.ts";
import { whileLoop } from "./while.ts";

export const NODE_TYPES: readonly NodeType[] = [
  action,
  assignment,
  code,
  decision,
  delay,
  forEach,
  goBack,
  invoke,
  lookup,
  parallel,
  returnNode,
  router,
  script,
  setAiAgentSkillOutput,
  subflow,
  talkToAgent,
  wait,
  webhook,
  whileLoop,
];

const BY_NAME: ReadonlyMap<string, NodeType> = new Map(
  NODE_TYPES.flatMap((type) => [type.type, ...type.aliases].map((name) => [name, type])),
);

/** By its name or an alias. */
export function nodeType(name: string): NodeType | undefined {
  return BY_NAME.get(name);
}

export function nodeTypeNames(): readonly string[] {
  return [...BY_NAME.keys()];
}
