/** Evaluates every module of a version and lists what it declares. */
import type { AnalyzedFunction, AnalyzeResult, FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import { modulePaths, moduleOf, type Namespace } from "./modules.ts";
import { jsonStringify } from "./realm.ts";

interface Registered {
  readonly isQuery?: unknown;
  readonly isMutation?: unknown;
  readonly isAction?: unknown;
  readonly isHttp?: unknown;
  readonly isInternal?: unknown;
  readonly isOperation?: unknown;
  exportArgs?(): string;
  exportReturns?(): string;
  exportOperation?(): string;
}

interface Exported {
  export(): string;
}

interface Routed {
  getRoutes(): readonly (readonly [string, string, unknown])[];
}

export function analyze(): string {
  const functions: AnalyzedFunction[] = [];
  let schema: string | null = null;
  let crons: string | null = null;
  let httpRoutes: AnalyzeResult["httpRoutes"] = [];
  for (const path of modulePaths().toSorted()) {
    const namespace = evaluate(path);
    if (path === "schema") schema = exportText(namespace, path);
    else if (path === "crons") crons = exportText(namespace, path);
    else if (path === "http") httpRoutes = routesOf(namespace);
    functions.push(...functionsOf(path, namespace));
  }
  return jsonStringify({ functions, schema, crons, httpRoutes } satisfies AnalyzeResult);
}

function evaluate(path: string): Namespace {
  try {
    return moduleOf(path);
  } catch (error) {
    // The author has to know where; the error itself, with its stack, stays the one that is reported.
    if (error instanceof Error) error.message = `${error.message} (while the module "${path}" was evaluated)`;
    throw error;
  }
}

function functionsOf(path: string, namespace: Namespace): AnalyzedFunction[] {
  const found: AnalyzedFunction[] = [];
  for (const name of Object.keys(namespace).toSorted()) {
    const value = namespace[name];
    if (typeof value !== "function") continue;
    const registered = value as Registered;
    const kind = kindOf(registered);
    if (kind === undefined) continue;
    const at = `${path}:${name}`;
    found.push({
      path: at,
      kind,
      visibility: registered.isInternal === true ? "internal" : "public",
      args: validatorText(registered, "exportArgs", '{"type":"any"}', at),
      returns: validatorText(registered, "exportReturns", "null", at),
      ...(registered.isOperation === true && kind === "action" ? { operation: operationText(registered, at) } : {}),
    });
  }
  return found;
}

function kindOf(value: Registered): FunctionKind | undefined {
  if (value.isQuery === true) return "query";
  if (value.isMutation === true) return "mutation";
  if (value.isAction === true) return "action";
  return value.isHttp === true ? "httpAction" : undefined;
}

function validatorText(value: Registered, name: "exportArgs" | "exportReturns", missing: string, at: string): string {
  const text = value[name]?.() ?? missing;
  if (typeof text !== "string") throw new TypeError(`${at}: ${name} did not return a text.`);
  return text;
}

function operationText(value: Registered, at: string): string {
  const text = value.exportOperation?.();
  if (typeof text !== "string") throw new TypeError(`${at}: exportOperation did not return a text.`);
  return text;
}

function exportText(namespace: Namespace, path: string): string {
  const value = namespace["default"] as Exported | undefined;
  if (value === undefined || typeof value.export !== "function") {
    throw new Error(`The module "${path}" has to export its ${path === "schema" ? "schema" : "cron jobs"} as default.`);
  }
  return `${value.export()}`;
}

function routesOf(namespace: Namespace): { path: string; method: string }[] {
  const router = namespace["default"] as Routed | undefined;
  if (router === undefined || typeof router.getRoutes !== "function")
    throw new Error('The module "http" has to export its router as default.');
  return router.getRoutes().map(([path, method]) => ({ path: `${path}`, method: `${method}` }));
}
