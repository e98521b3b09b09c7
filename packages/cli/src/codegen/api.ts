import type { EntryPoint } from "../bundle/entry-points.ts";

/** Modules that hold no functions of the api. */
const NOT_FUNCTIONS = new Set(["schema", "auth.config", "convex.config"]);

/** `api.d.ts`: the functions of every module, public ones in `api`, internal ones in `internal`. */
export function apiDeclaration(modules: readonly EntryPoint[]): string {
  const listed = modules.filter(({ modulePath }) => !NOT_FUNCTIONS.has(modulePath));
  const imports = listed.map((module) => `import type * as ${identifier(module)} from "../${extensionToJs(module.importPath)}";`);
  const members = listed.map((module) => `  ${JSON.stringify(module.modulePath)}: typeof ${identifier(module)};`);
  return `${imports.join("\n")}

import type { ApiFromModules, FilterApi, FunctionReference } from "convex/server";

declare const fullApi: ApiFromModules<{
${members.join("\n")}
}>;

/** Public functions of this app: \`api.module.function\`. */
export declare const api: FilterApi<typeof fullApi, FunctionReference<any, "public">>;

/** Internal functions of this app: \`internal.module.function\`. */
export declare const internal: FilterApi<typeof fullApi, FunctionReference<any, "internal">>;
`;
}

/** `api.js`: references are made from property paths at run time. */
export function apiModule(): string {
  return `import { anyApi } from "convex/server";

export const api = anyApi;
export const internal = anyApi;
`;
}

function identifier({ modulePath }: EntryPoint): string {
  return modulePath.replace(/[^A-Za-z0-9_]/g, "_");
}

function extensionToJs(importPath: string): string {
  return importPath.slice(2).replace(/\.([mc]?)[jt]sx?$/, ".$1js");
}
