/** The files of a program as a tar archive, which the engine imports as an image of one layer. */
import { createReadStream } from "node:fs";
import { readdir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { tarEnd, tarEntryHeader, tarFilePadding } from "@plinth/core/archive/tar-writer.ts";
import type { ProgramImage } from "../runtimes/runtime-adapter.ts";

type Mounts = ProgramImage["mounts"];

const EXECUTABLE = 0o755;

interface File {
  readonly source: string;
  /** Path in the archive. */
  readonly path: string;
}

/** Everybody may read all of it; nobody but root of the container, which nothing runs as, owns it. */
export function imageArchive(mounts: Mounts): Readable {
  return Readable.from(archiveOf(mounts), { objectMode: false });
}

async function* archiveOf(mounts: Mounts): AsyncGenerator<Uint8Array> {
  const folders = new Set<string>();
  const paths = new Set<string>();
  for (const { source, target } of mounts) {
    for await (const file of filesOf(source, target.slice(1))) {
      if (paths.has(file.path)) continue;
      paths.add(file.path);
      for (const folder of parentsOf(file.path)) {
        if (folders.has(folder)) continue;
        folders.add(folder);
        yield tarEntryHeader({ path: `${folder}/`, size: 0, type: "5", mode: EXECUTABLE });
      }
      yield* contentOf(file);
    }
  }
  yield tarEnd();
}

async function* contentOf({ source, path }: File): AsyncGenerator<Uint8Array> {
  const { size, mode } = await stat(source);
  yield tarEntryHeader({ path, size, type: "0", mode: (mode & 0o111) === 0 ? 0o644 : EXECUTABLE });
  let left = size;
  if (size > 0) {
    for await (const chunk of createReadStream(source, { end: size - 1 })) {
      const bytes = Buffer.from(chunk);
      left -= bytes.length;
      yield bytes;
    }
  }
  if (left !== 0) throw new Error(`${source} changed while it was read`);
  yield tarFilePadding(size);
}

/** Plain files below a folder, or the file itself. Links count when they lead to a file of the same folder. */
async function* filesOf(source: string, path: string): AsyncGenerator<File> {
  const root = await realpath(source);
  if ((await stat(root)).isFile()) yield { source: root, path };
  else yield* filesBelow(root, { source: root, path });
}

async function* filesBelow(root: string, at: File): AsyncGenerator<File> {
  const entries = await readdir(at.source, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = { source: join(at.source, entry.name), path: `${at.path}/${entry.name}` };
    if (entry.isDirectory()) yield* filesBelow(root, file);
    else if (entry.isFile()) yield file;
    else if (entry.isSymbolicLink()) yield* linkedFile(root, file);
  }
}

async function* linkedFile(root: string, file: File): AsyncGenerator<File> {
  const target = await realpath(join(dirname(file.source), await readlink(file.source))).catch(() => undefined);
  if (target?.startsWith(root + sep) === true && (await stat(target)).isFile()) yield { source: target, path: file.path };
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
