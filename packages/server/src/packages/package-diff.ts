/** What differs between two versions of a package, from what is stored of them. */
import { readFileList } from "./file-list.ts";
import { unifiedDiff } from "./line-diff.ts";
import type { PackageDiff } from "./packages.ts";

export interface VersionContents {
  readonly digest: string;
  readonly functions: readonly string[];
  readonly manifestText: string;
  readonly fileList: string;
}

export function diffVersions(from: VersionContents, to: VersionContents): PackageDiff {
  const [before, after] = [digestsOf(from), digestsOf(to)];
  return {
    from: from.digest,
    to: to.digest,
    filesAdded: [...after.keys()].filter((path) => !before.has(path)),
    filesRemoved: [...before.keys()].filter((path) => !after.has(path)),
    filesChanged: [...after].flatMap(([path, digest]) => (before.has(path) && before.get(path) !== digest ? [path] : [])),
    functionsAdded: to.functions.filter((name) => !from.functions.includes(name)),
    functionsRemoved: from.functions.filter((name) => !to.functions.includes(name)),
    manifest: unifiedDiff({ from: from.manifestText, to: to.manifestText }, "manifest.yaml"),
  };
}

function digestsOf({ fileList }: VersionContents): ReadonlyMap<string, string> {
  return new Map(readFileList(fileList).map(({ path, digest }) => [path, digest]));
}
