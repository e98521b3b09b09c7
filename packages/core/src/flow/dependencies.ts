/**
 * Packages that the code of a flow names, and the lock of a flow: which versions they are, and in which bundle they lie. Pure: names
 * are judged by their form only; what a bundle holds is checked by the host.
 */
import { limit } from "../limits.ts";
import type { ObjectReader } from "../manifest/object-reader.ts";
import { isList } from "./value.ts";
import type { Json, JsonObject } from "../operations/operation.ts";
import type { FlowDefinition } from "./definition.ts";

export type DependencyLanguage = "javascript" | "python";

/** One set of packages as nodes name it, and what was found for it when the flow was published. */
export interface LockedDependencies {
  readonly language: DependencyLanguage;
  /** As the nodes name them, sorted. */
  readonly dependencies: readonly string[];
  /** sha-256 of the bundle, in hexadecimal. */
  readonly digest: string;
  /** All packages in the bundle with their versions, `name@version` or `name==version`, sorted. */
  readonly packages: readonly string[];
}

export interface Dependency {
  readonly name: string;
  /** Empty for any version. */
  readonly range: string;
}

/** A name as the npm registry takes it; neither a path nor an address. */
const NPM = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@([0-9A-Za-z.*^~<>=|+ -]{1,100}))?$/;
/** A name as PyPI takes it, extras, and specifiers of versions. */
const PYPI =
  /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._, -]{1,100}\])?) ?((?:(?:===?|~=|!=|<=?|>=?) ?[A-Za-z0-9.*+!_-]{1,64}(?:, ?|$))*)$/;

/** Null when it is no name of a package in a registry with a range of versions. */
export function parseDependency(language: DependencyLanguage, text: string): Dependency | null {
  const match = text.length > limit("flowDependencyNameCharsMax") + 128 ? null : (language === "javascript" ? NPM : PYPI).exec(text);
  const [name, range] = [match?.[1] ?? "", match?.[2] ?? ""];
  if (name === "" || name.length > limit("flowDependencyNameCharsMax") || range.endsWith(",")) return null;
  return name === "__proto__" || name === "node_modules" || name.startsWith("-") ? null : { name, range: range.trim() };
}

/** What the field of a node may say, in a sentence. */
export const DEPENDENCY_FORMS: Readonly<Record<DependencyLanguage, string>> = {
  javascript: "write the name of an npm package and a range, such as `lodash@^4.17.0`",
  python: "write the name of a PyPI package and its versions, such as `humanize>=4,<5`",
};

/** The first name that stands there twice. */
export function namedTwice(language: DependencyLanguage, texts: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const text of new Set(texts)) {
    const name = (parseDependency(language, text)?.name ?? "").replace(/\[.*$/, "");
    const same = language === "python" ? name.toLowerCase().replace(/[-_.]+/g, "-") : name;
    if (name !== "" && seen.has(same)) return name;
    seen.add(same);
  }
  return null;
}

/** The packages that the data of a node names, sorted, each once; of no other form than texts. */
function dependenciesOf(data: Readonly<Record<string, Json>>): readonly string[] {
  const named = data["dependencies"];
  if (!isList(named)) return [];
  return [...new Set(named.filter((each) => typeof each === "string"))].toSorted();
}

/** Packages of one node, or of what undoes it. */
export interface DependencySet {
  readonly language: DependencyLanguage;
  /** As the nodes name them, sorted. */
  readonly dependencies: readonly string[];
}

const LANGUAGES: Readonly<Record<string, DependencyLanguage>> = { script: "javascript", code: "python" };

/** The packages that the data of one node names; null for none. */
export function dependencySet({ type, data }: { readonly type: string; readonly data: JsonObject }): DependencySet | null {
  const language = LANGUAGES[type];
  const dependencies = dependenciesOf(data);
  return language === undefined || dependencies.length === 0 ? null : { language, dependencies };
}

/** The different ones of a flow. */
export function dependencySets({ nodes }: Pick<FlowDefinition, "nodes">): readonly DependencySet[] {
  const found: DependencySet[] = [];
  for (const node of Object.values(nodes)) {
    for (const part of node.compensate === null ? [node] : [node, node.compensate]) {
      const set = dependencySet(part);
      const isNew = set !== null && !found.some((each) => each.language === set.language && sameTexts(each.dependencies, set.dependencies));
      if (isNew) found.push(set);
    }
  }
  return found;
}

export function lockOf(
  lock: readonly LockedDependencies[],
  language: DependencyLanguage,
  dependencies: readonly string[],
): LockedDependencies | null {
  return lock.find((entry) => entry.language === language && sameTexts(entry.dependencies, dependencies)) ?? null;
}

export function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, at) => text === right[at]);
}

/** The `lock` of a document. */
export function readLock(reader: ObjectReader): readonly LockedDependencies[] {
  return reader.objects("lock", "flowLockEntriesMax", readEntry);
}

function readEntry(reader: ObjectReader): LockedDependencies {
  return {
    language: reader.choice("language", ["javascript", "python"], "javascript"),
    dependencies: [...new Set(reader.texts("dependencies", "flowDependenciesMax"))].toSorted(),
    digest: reader.text("digest", { required: true, pattern: /^[0-9a-f]{64}$/, instead: "publish with `plinth flow publish`" }),
    packages: reader.texts("packages", "flowLockedPackagesMax"),
  };
}
