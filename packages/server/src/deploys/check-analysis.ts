/**
 * Checks what a jailed runner says that a version declares. All of it is text of the version's author: whatever
 * passes here is what the host believes from then on.
 */
import { parseSchema } from "@plinth/core/documents/schema.ts";
import { parseValidatorText } from "@plinth/core/documents/validators.ts";
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { parseFunctionOperation } from "@plinth/core/operations/function-operation.ts";
import type { AnalyzedFunction, AnalyzeResult, FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";

/** What a version declares, as it is stored beside its script. */
export interface Analysis {
  readonly functions: readonly AnalyzedFunction[];
  readonly schemaText: string | null;
  readonly cronsText: string | null;
  readonly httpRoutes: readonly { readonly path: string; readonly method: string }[];
}

const MODULE_PART = /^[A-Za-z0-9_.-]{1,128}$/;
const EXPORT_NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,127}$/;
const KINDS: readonly FunctionKind[] = ["query", "mutation", "action", "httpAction"];
const HTTP_METHODS: readonly string[] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"];

/** Throws InvalidPackage, which names the function or part that is wrong. Calls `pause` now and then. */
export async function checkAnalysis(result: AnalyzeResult, pause: () => Promise<void>): Promise<Analysis> {
  const max = limit("functionsPerVersionMax");
  if (result.functions.length > max) throw invalid(`it has ${result.functions.length} functions and may have ${max}.`);
  const functions: AnalyzedFunction[] = [];
  const slugs = new Map<string, string>();
  let operationChars = 0;
  let charsSincePause = 0;
  for (const fn of result.functions) {
    functions.push(checkFunction(fn));
    checkSlug(fn, slugs);
    operationChars += fn.operation?.length ?? 0;
    if (operationChars > limit("operationsTextCharsMax")) throw invalid("its operations say more of themselves than a version may.");
    // Fields are made of operations, which takes longer than reading validators.
    charsSincePause += fn.args.length + fn.returns.length + 4 * (fn.operation?.length ?? 0);
    if (charsSincePause < limit("analysisSliceChars")) continue;
    charsSincePause = 0;
    await pause();
  }
  const paths = new Set<string>();
  for (const { path } of functions) {
    if (paths.has(path)) throw invalid(`the function '${path}' is there twice.`);
    paths.add(path);
  }
  const modules = new Set(functions.map(({ path }) => path.slice(0, path.lastIndexOf(":"))));
  if (modules.size > limit("modulesPerVersionMax"))
    throw invalid(`it has ${modules.size} modules and may have ${limit("modulesPerVersionMax")}.`);
  if (result.schema !== null) parseSchema(result.schema);
  return { functions, schemaText: result.schema, cronsText: result.crons, httpRoutes: result.httpRoutes.map(checkRoute) };
}

function checkFunction(fn: AnalyzedFunction): AnalyzedFunction {
  const shown = String(fn.path).slice(0, 200);
  if (!isFunctionPath(fn.path)) throw invalid(`'${shown}' cannot be the path of a function.`);
  if (!KINDS.includes(fn.kind)) throw invalid(`the function '${shown}' has an unknown kind.`);
  if (fn.visibility !== "public" && fn.visibility !== "internal") throw invalid(`the function '${shown}' is neither public nor internal.`);
  checkValidator(fn, "args", fn.args);
  if (fn.returns !== "null") checkValidator(fn, "returns", fn.returns);
  const { path, kind, visibility, args, returns, operation } = fn;
  if (operation === undefined) return { path, kind, visibility, args, returns };
  if (kind !== "action") throw invalid(`the operation '${shown}' is no action.`);
  return { path, kind, visibility, args, returns, operation };
}

/** An operation is read once here, so that reading it later cannot fail; a slug names one. */
function checkSlug({ path, operation }: AnalyzedFunction, slugs: Map<string, string>): void {
  if (operation === undefined) return;
  const { slug } = parseFunctionOperation(path, operation).operation;
  const other = slugs.get(slug);
  if (other !== undefined) throw invalid(`the operations '${other}' and '${path}' have the same slug, '${slug}'.`);
  slugs.set(slug, path);
}

function isFunctionPath(path: string): boolean {
  const colon = path.lastIndexOf(":");
  if (colon === -1 || !EXPORT_NAME.test(path.slice(colon + 1))) return false;
  return path
    .slice(0, colon)
    .split("/")
    .every((part) => MODULE_PART.test(part) && part !== "." && part !== "..");
}

function checkValidator(fn: AnalyzedFunction, what: "args" | "returns", text: string): void {
  try {
    parseValidatorText(text);
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    throw plinthError("InvalidPackage", { detail: `the \`${what}\` of '${fn.path}' are wrong: ${error.message}` }, { cause: error });
  }
}

function checkRoute(route: { readonly path: string; readonly method: string }): { readonly path: string; readonly method: string } {
  if (!route.path.startsWith("/") || route.path.length > limit("requestHeaderBytesMax") || !HTTP_METHODS.includes(route.method)) {
    throw invalid(`'${route.method.slice(0, 20)} ${route.path.slice(0, 200)}' cannot be a route.`);
  }
  return { path: route.path, method: route.method };
}

function invalid(detail: string) {
  return plinthError("InvalidPackage", { detail });
}
