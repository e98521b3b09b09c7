/**
 * Imports each name from the module that defines it, not through the index of its package. The bundler does
 * the same for modules that run at the start, but the modules of a version run at their first use, and then it
 * evaluates the whole index: all of `convex/server` for `queryGeneric`, in every call. Only packages that say
 * that their modules have no side effects (`"sideEffects": false`) are seen through. The package is asked itself,
 * because the bundler looks into the nearest package.json, and some packages have further ones inside.
 */
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { init, parse } from "es-module-lexer";
import type { Loader, Plugin, PluginBuild } from "esbuild";

export const skipBarrels: Plugin = {
  name: "skip-barrels",
  async setup(build) {
    await init;
    let barrels = new Barrels(build);
    build.onStart(() => {
      barrels = new Barrels(build);
    });
    build.onLoad({ filter: /\.[mc]?[jt]sx?$/ }, async ({ path }) => {
      if (path.includes("/node_modules/") && !(await barrels.isWithoutSideEffects(path))) return undefined;
      const source = await readFile(path, "utf8");
      const contents = await barrels.rewritten(path, source);
      return contents === source ? undefined : { contents, loader: loaderOf(path), resolveDir: dirname(path) };
    });
  },
};

/** Where a name is defined. */
interface Origin {
  readonly file: string;
  readonly name: string;
}

/** What a module exports: names of its own, names that it passes on, and modules that it passes on whole. */
interface Exports {
  readonly own: ReadonlySet<string>;
  readonly passed: ReadonlyMap<string, { readonly specifier: string; readonly name: string }>;
  readonly whole: readonly string[];
}

class Barrels {
  readonly #build: PluginBuild;
  readonly #exports = new Map<string, Promise<Exports>>();
  readonly #pure = new Map<string, Promise<boolean>>();
  readonly #resolved = new Map<string, Promise<string | undefined>>();

  constructor(build: PluginBuild) {
    this.#build = build;
  }

  /** The source with its imports from barrels replaced, line by line in the same places. */
  async rewritten(file: string, source: string): Promise<string> {
    let text = "";
    let done = 0;
    for (const { specifier, start, end } of statementsOf(source)) {
      const statement = source.slice(start, end);
      const list = /^import\s*\{([^{}]*)\}\s*from\s*["']/.exec(statement)?.[1];
      if (list === undefined || !isPlain(list)) continue;
      const replacement = await this.#replacement(file, specifier, list);
      if (replacement === undefined) continue;
      text += source.slice(done, start) + replacement + "\n".repeat(statement.split("\n").length - 1);
      done = end;
    }
    return done === 0 ? source : text + source.slice(done);
  }

  async isWithoutSideEffects(file: string): Promise<boolean> {
    const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
    if (folder === undefined) return false;
    const known = this.#pure.get(folder) ?? saysNoSideEffects(folder);
    this.#pure.set(folder, known);
    return await known;
  }

  async #replacement(file: string, specifier: string, list: string): Promise<string | undefined> {
    const barrel = await this.#resolve(specifier, file);
    if (barrel === undefined) return undefined;
    const byModule = new Map<string, string[]>();
    for (const item of itemsOf(list)) {
      const origin = item.name === undefined ? undefined : await this.#origin({ file: barrel, name: item.name }, new Set());
      // Names that are not found are most likely types, which the bundler drops.
      const module = origin === undefined || origin.file === barrel ? specifier : origin.file;
      const text = origin === undefined || module === specifier ? item.text : `${origin.name} as ${item.local}`;
      byModule.set(module, [...(byModule.get(module) ?? []), text]);
    }
    if ([...byModule.keys()].every((module) => module === specifier)) return undefined;
    return [...byModule].map(([module, names]) => `import { ${names.join(", ")} } from ${JSON.stringify(module)}`).join("; ");
  }

  async #origin(wanted: Origin, seen: Set<string>): Promise<Origin | undefined> {
    const key = `${wanted.file}\n${wanted.name}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
    const exports = await this.#exportsOf(wanted.file);
    if (exports.own.has(wanted.name)) return wanted;
    const passed = exports.passed.get(wanted.name);
    if (passed !== undefined) {
      const file = await this.#resolve(passed.specifier, wanted.file);
      return file === undefined ? wanted : ((await this.#origin({ file, name: passed.name }, seen)) ?? wanted);
    }
    return await this.#originInWhole(wanted, exports.whole, seen);
  }

  async #originInWhole({ file, name }: Origin, specifiers: readonly string[], seen: Set<string>): Promise<Origin | undefined> {
    if (name === "default") return undefined;
    const found = new Map<string, Origin>();
    for (const specifier of specifiers) {
      const target = await this.#resolve(specifier, file);
      // A module that cannot be looked into may hold the name.
      if (target === undefined) return undefined;
      const origin = await this.#origin({ file: target, name }, seen);
      if (origin !== undefined) found.set(`${origin.file}\n${origin.name}`, origin);
    }
    return found.size === 1 ? found.values().next().value : undefined;
  }

  #exportsOf(file: string): Promise<Exports> {
    const known = this.#exports.get(file);
    if (known !== undefined) return known;
    const read = readFile(file, "utf8").then(exportsOf);
    this.#exports.set(file, read);
    return read;
  }

  /** The file that a specifier means, when it is a module without side effects. */
  #resolve(specifier: string, importer: string): Promise<string | undefined> {
    const key = `${specifier}\n${dirname(importer)}`;
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const resolved = this.#resolveAnew(specifier, importer);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  async #resolveAnew(specifier: string, importer: string): Promise<string | undefined> {
    const result = await this.#build.resolve(specifier, { kind: "import-statement", importer, resolveDir: dirname(importer) });
    const { path } = result;
    if (result.errors.length > 0 || result.external || result.namespace !== "file" || !/\.m?js$/.test(path)) return undefined;
    return !result.sideEffects || (await this.isWithoutSideEffects(path)) ? path : undefined;
  }
}

async function saysNoSideEffects(packageFolder: string): Promise<boolean> {
  try {
    const json: unknown = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));
    return typeof json === "object" && json !== null && "sideEffects" in json && json.sideEffects === false;
  } catch {
    return false;
  }
}

interface Statement {
  readonly specifier: string;
  readonly start: number;
  readonly end: number;
}

/** The static imports and re-exports of a module; none when it cannot be read. */
function statementsOf(source: string): Statement[] {
  try {
    const [imports] = parse(source);
    // d = -1: not dynamic. a = -1: no attributes.
    return imports.flatMap(({ n, ss, se, d, a }) =>
      n !== undefined && d === -1 && a === -1 ? [{ specifier: n, start: ss, end: se }] : [],
    );
  } catch {
    return [];
  }
}

function exportsOf(source: string): Exports {
  const passed = new Map<string, { specifier: string; name: string }>();
  const whole: string[] = [];
  for (const { specifier, start, end } of statementsOf(source)) {
    const statement = source.slice(start, end);
    if (/^export\s*\*\s*from/.test(statement)) whole.push(specifier);
    const list = /^export\s*\{([^{}]*)\}\s*from/.exec(statement)?.[1];
    if (list === undefined || !isPlain(list)) continue;
    for (const { name, local } of itemsOf(list)) if (name !== undefined && local !== undefined) passed.set(local, { specifier, name });
  }
  return { own: new Set(ownNames(source).filter((name) => !passed.has(name))), passed, whole };
}

function ownNames(source: string): string[] {
  try {
    return parse(source)[1].map(({ n }) => n);
  } catch {
    return [];
  }
}

/** `name` as the exporting module calls it, `local` as the other does; both undefined for what is not understood. */
function itemsOf(list: string): { readonly text: string; readonly name?: string; readonly local?: string }[] {
  const items = list.split(",").map((item) => item.trim());
  return items
    .filter((text) => text !== "")
    .map((text) => {
      const [, name, local] = /^([\w$]+)(?:\s+as\s+([\w$]+))?$/.exec(text) ?? [];
      return name === undefined || name === "type" ? { text } : { text, name, local: local ?? name };
    });
}

/** Without comments and texts, a list can be cut at its commas. */
function isPlain(list: string): boolean {
  return !/["'/]/.test(list);
}

function loaderOf(path: string): Loader {
  const extension = extname(path).replace(/[mc](?=[jt]s$)/, "");
  return extension === ".ts" ? "ts" : extension === ".tsx" ? "tsx" : extension === ".jsx" ? "jsx" : "js";
}
