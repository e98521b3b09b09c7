/**
 * A strict, incremental reader of tar archives of strangers: ustar, pax and the long names of GNU tar. Only files and folders
 * are taken. Modes, owners and times are not even given: whoever unpacks chooses them.
 *
 * X1 Every name that comes out passed `checkPath` and `ArchivePaths`: unpacked below a folder it stays there, and no entry
 *    replaces or redirects an earlier one.
 * X2 Memory is bounded by the limits, whatever comes in: at most one header or one extended header is held back.
 * X3 Links, devices, pipes, sparse files and kinds that are not known are refused, not skipped.
 */
import { limit } from "../limits.ts";
import { ArchivePaths, checkPath, decodeName, refused, shown } from "./archive-path.ts";
import { readPaxRecords } from "./pax-records.ts";
import { BLOCK_BYTES, isZeroBlock, readHeader, type TarHeader } from "./tar-format.ts";

/** `data` comes any number of times between `file` and `fileEnd`; its bytes are a view of what was pushed. */
export type TarEvent =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "file"; readonly path: string; readonly size: number }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "fileEnd" };

type State =
  | { readonly kind: "header" }
  | { readonly kind: "file"; left: number; readonly padding: number }
  | { readonly kind: "extension"; readonly header: TarHeader; readonly bytes: Uint8Array; filled: number; readonly padding: number }
  | { readonly kind: "padding"; left: number }
  | { readonly kind: "trailer" };

/** Extended headers that wait for the entry that they are about. */
interface Pending {
  readonly path?: string;
  readonly size?: number;
}

export class TarReader {
  readonly #paths = new ArchivePaths();
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #blockFilled = 0;
  #state: State = { kind: "header" };
  #pending: Pending | undefined;
  #bytes = 0;
  #headers = 0;

  /** Takes the next bytes. Run the iterator to its end before the next call. Throws InvalidPackage. */
  *push(chunk: Uint8Array): Generator<TarEvent, void, undefined> {
    this.#bytes += chunk.length;
    const max = limit("archiveUnpackedBytesMax");
    if (this.#bytes > max) throw refused(`it has more than ${max} bytes when it is unpacked`);
    let at = 0;
    while (at < chunk.length) {
      const state = this.#state;
      const rest = chunk.subarray(at);
      switch (state.kind) {
        case "header":
          at += this.#fillBlock(rest);
          if (this.#blockFilled === BLOCK_BYTES) yield* this.#onBlock();
          break;
        case "file": {
          const bytes = rest.subarray(0, state.left);
          at += bytes.length;
          state.left -= bytes.length;
          yield { type: "data", bytes };
          if (state.left === 0) yield* this.#endFile(state.padding);
          break;
        }
        case "extension": {
          const bytes = rest.subarray(0, state.bytes.length - state.filled);
          state.bytes.set(bytes, state.filled);
          at += bytes.length;
          state.filled += bytes.length;
          if (state.filled === state.bytes.length) this.#onExtension(state.header, state.bytes, state.padding);
          break;
        }
        case "padding": {
          const skipped = Math.min(state.left, rest.length);
          at += skipped;
          state.left -= skipped;
          if (state.left === 0) this.#state = { kind: "header" };
          break;
        }
        case "trailer":
          // Another archive behind this one would be seen by some readers and not by others.
          if (rest.some((byte) => byte !== 0)) throw refused("it has bytes behind its end");
          at = chunk.length;
          break;
        default:
          state satisfies never;
      }
    }
  }

  /** Says that there are no more bytes. Throws InvalidPackage when some are missing. */
  end(): void {
    if (this.#state.kind !== "trailer") throw refused(this.#bytes === 0 ? "it is empty" : "it is cut off");
  }

  #fillBlock(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, BLOCK_BYTES - this.#blockFilled);
    this.#block.set(taken, this.#blockFilled);
    this.#blockFilled += taken.length;
    return taken.length;
  }

  *#onBlock(): Generator<TarEvent, void, undefined> {
    this.#blockFilled = 0;
    if (isZeroBlock(this.#block)) {
      if (this.#pending !== undefined) throw refused("it is cut off");
      this.#state = { kind: "trailer" };
      return;
    }
    // Each file or folder has at most two headers of its own besides extended ones.
    if (++this.#headers > 4 * limit("archiveEntriesMax")) throw refused(`it has more than ${limit("archiveEntriesMax")} files and folders`);
    const header = readHeader(this.#block);
    switch (header.type) {
      case "x":
      case "L":
      case "K":
      case "g":
        this.#startExtension(header);
        return;
      case "0":
      case "\0":
        // Old writers mark folders by a slash only.
        if ((this.#pending?.path ?? header.name).endsWith("/")) yield* this.#folder(header);
        else yield* this.#startFile(header);
        return;
      case "5":
        yield* this.#folder(header);
        return;
      default:
        throw refused(`${shown(this.#pending?.path ?? header.name)} is ${kindName(header.type)}; only files and folders are taken`);
    }
  }

  *#folder(header: TarHeader): Generator<TarEvent, void, undefined> {
    const name = this.#pending?.path ?? header.name;
    if ((this.#pending?.size ?? header.size) !== 0) throw refused(`the folder ${shown(name)} has bytes`);
    this.#pending = undefined;
    const path = checkPath(name, "folder");
    if (path === "") return;
    this.#paths.add(path, "folder");
    yield { type: "folder", path };
  }

  *#startFile(header: TarHeader): Generator<TarEvent, void, undefined> {
    const path = checkPath(this.#pending?.path ?? header.name, "file");
    const size = this.#pending?.size ?? header.size;
    this.#pending = undefined;
    const max = limit("archiveFileBytesMax");
    if (size > max) throw refused(`the file ${shown(path)} has ${size} bytes and may have ${max}`);
    this.#paths.add(path, "file");
    yield { type: "file", path, size };
    this.#state = { kind: "file", left: size, padding: paddingOf(size) };
    if (size === 0) yield* this.#endFile(0);
  }

  *#endFile(padding: number): Generator<TarEvent, void, undefined> {
    this.#state = padding === 0 ? { kind: "header" } : { kind: "padding", left: padding };
    yield { type: "fileEnd" };
  }

  #startExtension(header: TarHeader): void {
    const max = limit("archiveExtensionBytesMax");
    if (header.size > max) throw refused(`an extended header has ${header.size} bytes and may have ${max}`);
    if (header.size === 0) throw refused("an extended header is empty");
    this.#state = { kind: "extension", header, bytes: new Uint8Array(header.size), filled: 0, padding: paddingOf(header.size) };
  }

  #onExtension(header: TarHeader, bytes: Uint8Array, padding: number): void {
    this.#state = padding === 0 ? { kind: "header" } : { kind: "padding", left: padding };
    switch (header.type) {
      case "K":
        throw refused("it has a link; only files and folders are taken");
      case "L":
        this.#expect({ path: longName(bytes) });
        return;
      case "g":
        // Comments of version control are common; what would change entries is not taken from there.
        if (Object.keys(readPaxRecords(bytes)).length > 0) throw refused("a global header changes names or sizes");
        return;
      case "x":
        this.#expect(readPaxRecords(bytes));
        return;
      default:
        throw refused("it has a header of an unknown form");
    }
  }

  #expect(pending: Pending): void {
    for (const key of ["path", "size"] as const) {
      if (this.#pending?.[key] !== undefined && pending[key] !== undefined) throw refused("an entry has two names or sizes");
    }
    this.#pending = { ...this.#pending, ...pending };
  }
}

function longName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  if (end === -1) return decodeName(bytes);
  if (bytes.subarray(end).some((byte) => byte !== 0)) throw refused("a name in it has a zero byte");
  return decodeName(bytes.subarray(0, end));
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function kindName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    "1": "a hard link",
    "2": "a symbolic link",
    "3": "a device",
    "4": "a device",
    "6": "a pipe",
    S: "a sparse file",
  };
  return names[type] ?? "of an unknown kind";
}
