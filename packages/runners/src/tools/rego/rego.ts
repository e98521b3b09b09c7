/** The tool for policies of webhooks: checks the text of a policy, or evaluates its rule `output` on an input. */
import type { ToolAnswer } from "../answers.ts";
import { compile, type Program } from "./compile.ts";
import { evaluateRule } from "./evaluate.ts";
import { parseModule } from "./parse-module.ts";
import { PolicyError } from "./syntax.ts";
import { fromJson, toJson } from "./values.ts";
import { webhookInput, type WebhookRequest } from "./webhook-input.ts";

const RULE = "output";
const PACKAGE = "rego";
const PROGRAMS_MAX = 64;

export interface RegoInput {
  readonly policy: string;
  /** The input is made of these; without them the policy is checked only. */
  readonly request?: WebhookRequest;
  readonly parameters?: unknown;
  readonly nowMs?: number;
}

const programs = new Map<string, Program>();

/** `{findings: [{line, message}]}` of a check, `{output}` of an evaluation: the rule's value, null when it has none. */
export async function runRego({ policy, request, parameters, nowMs = 0 }: RegoInput): Promise<ToolAnswer> {
  if (request === undefined) return { value: { findings: findingsOf(policy) } };
  try {
    return { value: { output: evaluatePolicy(policy, webhookInput(request, parameters ?? {}), nowMs) } };
  } catch (error) {
    if (error instanceof PolicyError) return { failed: error.message };
    if (error instanceof RangeError) return { failed: "the input or the output lies too deep or is too large" };
    throw error;
  }
}

/** The value of `output` as JSON; null when it has none. */
export function evaluatePolicy(policy: string, input: unknown, nowMs: number): unknown {
  const output = evaluateRule(programOf(policy), RULE, { input: fromJson(input), nowMs });
  return output === undefined ? null : toJson(output);
}

export function findingsOf(policy: string): readonly { readonly line: number; readonly message: string }[] {
  try {
    programOf(policy);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return [{ line: error.line ?? 1, message: error.detail }];
    if (error instanceof RangeError) return [{ line: 1, message: "its terms lie too deep in each other" }];
    throw error;
  }
}

function programOf(policy: string): Program {
  const known = programs.get(policy);
  if (known !== undefined) return known;
  const module = parseModule(policy);
  const name = module.package.join(".");
  if (name !== PACKAGE) throw new PolicyError(`the package is \`${PACKAGE}\`, not \`${name}\``, 1);
  const program = compile(module);
  const output = program.rules.get(RULE);
  if (output === undefined) throw new PolicyError(`there is no rule \`${RULE}\``, 1);
  if (output.kind === "function" || output.kind === "set") throw new PolicyError(`\`${RULE}\` is an object`, output.rules[0]?.line);
  if (programs.size >= PROGRAMS_MAX) programs.clear();
  programs.set(policy, program);
  return program;
}
