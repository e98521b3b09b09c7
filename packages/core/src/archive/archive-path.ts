/**
 * Names of files in archives. A name means the same on every file system and cannot leave the folder it is unpacked into;
 * no two names of an archive are the same file anywhere (case, Unicode forms), and no file lies where a folder must.
 */
import { plinthError, type PlinthError } from "../errors.ts";
import { limit } from "../limits.ts";

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]|[\u202a-\u202e\u2066-\u2069]/u;

export function refused(detail: string): PlinthError {
  return plinthError("InvalidPackage", { detail: `the archive is refused: ${detail}.` });
}

/** A name as an error shows it. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

export function decodeName(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw refused("a name in it is not UTF-8");
  }
}

/**
 * The name without the `./` that tar programs write before each name, and without the slash behind folders; empty for the
 * folder that everything lies in. Throws InvalidPackage for a name that is refused.
 */
export function checkPath(name: string, kind: "file" | "folder"): string {
  const withoutDot = name.startsWith("./") ? name.slice(2) : kind === "folder" && name === "." ? "" : name;
  const path = kind === "folder" && withoutDot.endsWith("/") ? withoutDot.slice(0, -1) : withoutDot;
  if (path === "" && kind === "folder" && withoutDot === "") return "";
  if (path.startsWith("/")) throw refused(`the name ${shown(name)} is absolute`);
  if (path.includes("\\")) throw refused(`the name ${shown(name)} has a backslash`);
  if (/^[A-Za-z]:/.test(path)) throw refused(`the name ${shown(name)} begins with a drive`);
  if (CONTROL.test(path)) throw refused(`the name ${shown(name)} has a control character`);
  if (!path.isWellFormed()) throw refused(`the name ${shown(name)} is not Unicode`);
  if (encoder.encode(path).length > limit("archivePathBytesMax"))
    throw refused(`the name ${shown(name)} is longer than ${limit("archivePathBytesMax")} bytes`);
  const parts = path.split("/");
  if (parts.length > limit("archivePathDepthMax"))
    throw refused(`the name ${shown(name)} is deeper than ${limit("archivePathDepthMax")} folders`);
  for (const part of parts) checkPart(part, name);
  return path;
}

function checkPart(part: string, name: string): void {
  if (part === "") throw refused(`the name ${shown(name)} has an empty part`);
  if (part === "..") throw refused(`the name ${shown(name)} leaves its folder`);
  if (/[. ]$/.test(part)) throw refused(`the name ${shown(name)} has a part that ends with a dot or a space`);
  if (encoder.encode(part).length > limit("archiveNameBytesMax"))
    throw refused(`the name ${shown(name)} has a part that is longer than ${limit("archiveNameBytesMax")} bytes`);
}

interface Known {
  readonly path: string;
  kind: "file" | "folder";
}

/** All names of one archive so far. */
export class ArchivePaths {
  /** By the form that names of one file have in common on any file system. */
  readonly #known = new Map<string, Known>();
  #bytes = 0;

  /** Throws InvalidPackage when the path cannot stand beside those before it. Folders may come again. */
  add(path: string, kind: "file" | "folder"): void {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) this.#addOne(path.slice(0, slash), "folder");
    if (path !== "" && !this.#addOne(path, kind) && kind === "file") throw refused(`the name ${shown(path)} is there twice`);
  }

  /** False when it was there already. */
  #addOne(path: string, kind: "file" | "folder"): boolean {
    const key = fold(path);
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#bytes += path.length;
      if (this.#known.size >= limit("archiveEntriesMax")) throw refused(`it has more than ${limit("archiveEntriesMax")} files and folders`);
      if (this.#bytes > limit("archiveNamesCharsMax"))
        throw refused(`its names are longer than ${limit("archiveNamesCharsMax")} characters in all`);
      this.#known.set(key, { path, kind });
      return true;
    }
    if (known.path !== path) throw refused(`${shown(path)} and ${shown(known.path)} are the same name on some file systems`);
    if (known.kind !== kind) throw refused(`${shown(path)} is both a file and a folder`);
    return false;
  }
}

function fold(path: string): string {
  // ASCII names, nearly all of them, need no tables.
  // eslint-disable-next-line no-control-regex -- the range of ASCII
  if (/^[\u0000-\u007f]*$/.test(path)) return path.toLowerCase();
  return path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}
