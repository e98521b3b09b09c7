/** The files of a version by digest, as text: one line each, `<digest> <bytes> <path>`, in the order of their paths. */
import { assert } from "@plinth/core/assert.ts";

export interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  /** sha-256 in hexadecimal. */
  readonly digest: string;
}

export function writeFileList(files: readonly ListedFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.map(({ digest, bytes, path }) => `${digest} ${bytes} ${path}\n`).join("");
}

export function readFileList(text: string): readonly ListedFile[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const match = /^([0-9a-f]{64}) (\d+) (.+)$/.exec(line);
      assert(match !== null, "a stored list of files has its form");
      return { digest: match[1] ?? "", bytes: Number(match[2]), path: match[3] ?? "" };
    });
}
