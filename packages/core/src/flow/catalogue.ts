/** What a flow may call, as far as the checker knows it. */
import type { Operation } from "../operations/operation.ts";
import type { ValueType } from "./definition.ts";

export interface CataloguedFunction {
  readonly kind: "query" | "mutation" | "action" | "handler";
  readonly output: ValueType;
}

export interface CataloguedFlow {
  readonly input: ValueType;
  readonly output: ValueType;
}

export interface FlowCatalogue {
  operation(name: string): Operation | undefined;
  operationNames(): readonly string[];
  /** Undefined when there is none. */
  function(path: string): CataloguedFunction | undefined;
  functionPaths(): readonly string[];
  flow(name: string): CataloguedFlow | undefined;
  flowNames(): readonly string[];
  /** Connections (keyrings) by name. */
  hasConnection(name: string): boolean;
}
