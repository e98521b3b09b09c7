/**
 * Checks the scripts of flows, when a flow is saved and again when a script runs: parsed in the jail, each text once in the life of a
 * host.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { type CodeFinding, findingsIn, inFlow, PassedCode, readFindings } from "./code-findings.ts";

/** What a script sees by name; it cannot declare these again. */
export const SCRIPT_NAMES: readonly string[] = ["inputs", "keyrings", "workflow", "libs"];

export class ScriptChecks {
  readonly #tools: Pick<JailTools, "run">;
  readonly #passed = new PassedCode();

  constructor(tools: Pick<JailTools, "run">) {
    this.#tools = tools;
  }

  async findings(tenant: string, code: string): Promise<readonly CodeFinding[]> {
    if (this.#passed.has(code)) return [];
    const answer = await this.#tools.run(tenant, "script", { code, names: SCRIPT_NAMES });
    const found = readFindings("script", findingsIn("script", answer), code);
    if (found.length === 0) this.#passed.add(code);
    return found;
  }

  /** Rejects with InvalidCode. */
  async check(tenant: string, code: string): Promise<void> {
    const [first] = await this.findings(tenant, code);
    if (first !== undefined) throw plinthError("InvalidCode", { detail: first.message });
  }

  /** `onward` throws when there is no time for more. */
  async flowFindings(tenant: string, { nodes }: FlowDefinition, onward: () => void = () => undefined): Promise<readonly FlowFinding[]> {
    const found: FlowFinding[] = [];
    for (const [id, node] of Object.entries(nodes)) {
      onward();
      found.push(...(await this.#nodeFindings(tenant, { id, path: `nodes.${id}`, node })));
      if (node.compensate !== null)
        found.push(...(await this.#nodeFindings(tenant, { id, path: `nodes.${id}.compensate`, node: node.compensate })));
    }
    return found;
  }

  async #nodeFindings(
    tenant: string,
    { id, path, node }: { readonly id: string; readonly path: string; readonly node: NodeOfCode },
  ): Promise<FlowFinding[]> {
    const code = node.data["code"];
    if (node.type !== "script" || typeof code !== "string") return [];
    const at = `${path}.data.code`;
    return (await this.findings(tenant, code)).map((found) => inFlow(id, at, found));
  }
}

interface NodeOfCode {
  readonly type: string;
  readonly data: JsonObject;
}
