/** Puts the entries of a tar archive into a folder, with modes of our own. It blocks: only for threads that do nothing else. */
import { createHash, type Hash } from "node:crypto";
import { chmodSync, closeSync, constants, fchmodSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { TarReader } from "@plinth/core/archive/tar-reader.ts";
import { must } from "@plinth/core/assert.ts";
import type { ListedFile } from "./file-list.ts";

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
// The mask of the process may keep others from reading, and jails run as others.
const masksModes = (process.umask() & 0o055) !== 0;

/** Writes the files of an archive as they come. */
export class FolderWriter {
  readonly #reader = new TarReader();
  readonly #folder: string;
  readonly #folders = new Set<string>();
  readonly #files: ListedFile[] = [];
  #open: { readonly path: string; readonly size: number; readonly descriptor: number; readonly hash: Hash } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#folders.add(".");
  }

  push(piece: Uint8Array): void {
    for (const event of this.#reader.push(piece)) {
      switch (event.type) {
        case "folder":
          this.#makeFolder(event.path);
          break;
        case "file":
          this.#startFile(event.path, event.size);
          break;
        case "data": {
          const { descriptor, hash } = must(this.#open, "bytes belong to a file");
          hash.update(event.bytes);
          for (let at = 0; at < event.bytes.length;) at += writeSync(descriptor, event.bytes, at);
          break;
        }
        case "fileEnd": {
          const { path, size, descriptor, hash } = must(this.#open, "a file ends after it began");
          this.#open = undefined;
          closeSync(descriptor);
          this.#files.push({ path, bytes: size, digest: hash.digest("hex") });
          break;
        }
        default:
          event satisfies never;
      }
    }
  }

  end(): readonly ListedFile[] {
    this.#reader.end();
    return this.#files;
  }

  #startFile(path: string, size: number): void {
    this.#makeFolder(dirname(path));
    const descriptor = openSync(join(this.#folder, path), NEW_FILE, FILE_MODE);
    if (masksModes) fchmodSync(descriptor, FILE_MODE);
    this.#open = { path, size, descriptor, hash: createHash("sha256") };
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    this.#makeFolder(dirname(path));
    const folder = join(this.#folder, path);
    mkdirSync(folder, { mode: FOLDER_MODE });
    if (masksModes) chmodSync(folder, FOLDER_MODE);
    this.#folders.add(path);
  }
}
