/** Makes the operations that functions define: those of packages, and those of functions folders. */
import type { Operation } from "@plinth/core/operations/operation.ts";
import type { FunctionDefinedOperations, OperationExecutor } from "../operations.ts";
import { FunctionOperations, type FunctionOperationsOptions } from "./function-operations.ts";
import { PackageOperations, type PackageOperationsOptions } from "./package-operations.ts";

export type FunctionDefinedOptions = PackageOperationsOptions & FunctionOperationsOptions;

export function openFunctionDefined(options: FunctionDefinedOptions): FunctionDefinedOperations {
  const packages = new PackageOperations(options);
  const functions = new FunctionOperations(options);
  const of = ({ origin }: Operation) => (origin === "function" ? functions : packages);
  return {
    list: async (scope) => (await Promise.all([packages.list(scope), functions.list(scope)])).flat(),
    executor: {
      execute: (operation, call) => of(operation).execute(operation, call),
      enqueue: (operation, call) => of(operation).enqueue(operation, call),
      schema: (operation, call) => of(operation).schema(operation, call),
      activate: (operation, call) => of(operation).activate(operation, call),
      deactivate: (operation, call) => of(operation).deactivate(operation, call),
    } satisfies OperationExecutor,
  };
}
