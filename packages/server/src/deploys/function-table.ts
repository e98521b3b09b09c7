/** The functions of one version, ready to be looked up. Validators are parsed when a function is first called. */
import { limit } from "@plinth/core/limits.ts";
import { parseFunctionOperation, type FunctionOperation } from "@plinth/core/operations/function-operation.ts";
import type { AnalyzedFunction } from "@plinth/core/protocol/runner-protocol.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import type { Analysis } from "./check-analysis.ts";
import type { ResolvedFunction } from "./deploys.ts";

export class FunctionTable {
  readonly version: VersionCode;
  readonly analysis: Analysis;
  readonly #declared: ReadonlyMap<string, AnalyzedFunction>;
  readonly #resolved = new Map<string, ResolvedFunction>();
  #operations: Promise<readonly FunctionOperation[]> | undefined;

  constructor(version: VersionCode, analysis: Analysis) {
    this.version = version;
    this.analysis = analysis;
    this.#declared = new Map(analysis.functions.map((fn) => [fn.path, fn]));
  }

  resolve(path: string): ResolvedFunction | undefined {
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    const declared = this.#declared.get(canonicalPath(path));
    if (declared === undefined) return undefined;
    const existing = this.#resolved.get(declared.path);
    if (existing !== undefined) return existing;
    const { kind, visibility } = declared;
    const resolved = {
      path: declared.path,
      kind,
      visibility,
      args: JSON.parse(declared.args),
      returns: JSON.parse(declared.returns),
      version: this.version,
    };
    // Only canonical paths are kept, so that spellings of callers cannot fill the memory.
    this.#resolved.set(declared.path, resolved);
    return resolved;
  }

  /** Calls `pause` now and then: reading them takes time. */
  operations(pause: () => Promise<void>): Promise<readonly FunctionOperation[]> {
    this.#operations ??= this.#readOperations(pause);
    return this.#operations;
  }

  async #readOperations(pause: () => Promise<void>): Promise<readonly FunctionOperation[]> {
    const operations: FunctionOperation[] = [];
    let charsSincePause = 0;
    for (const { path, operation } of this.analysis.functions) {
      if (operation === undefined) continue;
      operations.push(parseFunctionOperation(path, operation));
      charsSincePause += operation.length;
      if (charsSincePause < limit("operationTextCharsMax")) continue;
      charsSincePause = 0;
      await pause();
    }
    return operations;
  }

  list(): readonly Pick<ResolvedFunction, "path" | "kind" | "visibility">[] {
    return this.analysis.functions.map(({ path, kind, visibility }) => ({ path, kind, visibility }));
  }
}

/** `dir/module:export`; the module may end with `.js`, and without an export its default is meant. */
export function canonicalPath(path: string): string {
  const colon = path.lastIndexOf(":");
  const module = (colon === -1 ? path : path.slice(0, colon)).replace(/\.js$/, "");
  return `${module}:${colon === -1 ? "default" : path.slice(colon + 1)}`;
}
