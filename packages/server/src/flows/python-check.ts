/**
 * Checks the Python of flows when a flow is saved: parsed in the jail under the policy that it runs under, each text once in the life of
 * a host. Where the machine has no Python, the author is told so.
 */
import { PlinthError } from "@plinth/core/errors.ts";
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import { dependencySet, lockOf } from "@plinth/core/flow/dependencies.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../database/database.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { FlowBundles } from "./bundles/flow-bundles.ts";
import { findingsIn, inFlow, PassedCode, readFindings, unreadable } from "./code-findings.ts";

export interface PythonChecksParts {
  /** Python is not checked where they are absent. */
  readonly tools?: Pick<JailTools, "run">;
  readonly bundles?: Pick<FlowBundles, "get">;
}

interface PythonCode {
  readonly node: string;
  readonly path: string;
  readonly code: string;
  /** What its packages offer; null where their bundle is not there yet. */
  readonly modules: readonly string[] | null;
}

export class PythonChecks {
  readonly #parts: PythonChecksParts;
  readonly #passed = new PassedCode();

  constructor(parts: PythonChecksParts) {
    this.#parts = parts;
  }

  /** `onward` throws when there is no time for more. */
  async flowFindings(scope: Scope, definition: FlowDefinition, onward: () => void = () => undefined): Promise<readonly FlowFinding[]> {
    const { tools } = this.#parts;
    if (tools === undefined) return [];
    const codes = (await this.#codesOf(scope, definition)).filter((each) => !this.#passed.has(textOf(each)));
    const found: FlowFinding[] = [];
    for (const batch of batchesOf(codes)) {
      const [{ node, path }] = batch;
      onward();
      try {
        found.push(...(await this.#findings(tools, scope.tenant, batch)));
      } catch (error) {
        if (!(error instanceof PlinthError && error.code === "NotAvailable")) throw error;
        return [{ path, node, severity: "warning", message: `${path} was not checked, and cannot run on this host: ${error.message}` }];
      }
    }
    return found;
  }

  async #findings(tools: Pick<JailTools, "run">, tenant: string, batch: Batch): Promise<readonly FlowFinding[]> {
    const check = batch.map(({ code, modules }) => ({ code, modules }));
    const lists = findingsIn("python", await tools.run(tenant, "python", { check }));
    if (!Array.isArray(lists) || lists.length !== batch.length) throw unreadable("python");
    return batch.flatMap((each, at) => {
      const findings = readFindings("python", lists[at], each.code);
      if (findings.length === 0) this.#passed.add(textOf(each));
      return findings.map((finding) => inFlow(each.node, each.path, finding));
    });
  }

  async #codesOf(scope: Scope, { nodes, lock }: FlowDefinition): Promise<readonly PythonCode[]> {
    const codes: PythonCode[] = [];
    const add = async (node: string, at: string, part: NodeOfCode): Promise<void> => {
      const code = part.data["code"];
      if (part.type !== "code" || typeof code !== "string") return;
      codes.push({ node, path: `${at}.data.code`, code, modules: await this.#modulesOf(scope, lock, part) });
    };
    for (const [id, node] of Object.entries(nodes)) {
      await add(id, `nodes.${id}`, node);
      if (node.compensate !== null) await add(id, `nodes.${id}.compensate`, node.compensate);
    }
    return codes;
  }

  /** What is wrong with the lock or a bundle is said by lock-findings.ts. */
  async #modulesOf(scope: Scope, lock: FlowDefinition["lock"], part: NodeOfCode): Promise<readonly string[] | null> {
    const set = dependencySet(part);
    if (set === null) return [];
    const entry = lockOf(lock, set.language, set.dependencies);
    if (entry === null) return null;
    const bundle = await this.#parts.bundles?.get(scope, entry.digest).catch((error: unknown) => {
      if (error instanceof PlinthError && error.code === "InvalidBundle") return undefined;
      throw error;
    });
    return bundle?.modules ?? null;
  }
}

interface NodeOfCode {
  readonly type: string;
  readonly data: JsonObject;
}

type Batch = readonly [PythonCode, ...PythonCode[]];

/** As much as one process may look at within the time that a tool has. */
function batchesOf(codes: readonly PythonCode[]): readonly Batch[] {
  const batches: [PythonCode, ...PythonCode[]][] = [];
  let bytes = 0;
  for (const each of codes) {
    const last = batches.at(-1);
    const own = Buffer.byteLength(each.code);
    if (last === undefined || bytes + own > limit("inlineCodeBytesMax")) {
      batches.push([each]);
      bytes = own;
    } else {
      last.push(each);
      bytes += own;
    }
  }
  return batches;
}

function textOf({ code, modules }: PythonCode): string {
  return JSON.stringify([code, modules]);
}
