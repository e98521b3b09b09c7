/** Records of pax extended headers: `<length> <key>=<value>\n`, where the length counts the whole record. */
import { decodeName, refused } from "./archive-path.ts";

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const LENGTH_DIGITS = 7;

/** What of the records changes an entry. Times, owners, attributes and comments are passed over. */
export function readPaxRecords(bytes: Uint8Array): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(SPACE, at);
    const digits = space === -1 || space - at > LENGTH_DIGITS ? "" : String.fromCharCode(...bytes.subarray(at, space));
    const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : 0;
    if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== LINE_FEED) throw refused("an extended header is damaged");
    const equals = bytes.indexOf(0x3d, space);
    if (equals === -1 || equals >= end - 1) throw refused("an extended header is damaged");
    const key = decodeName(bytes.subarray(space + 1, equals));
    const value = bytes.subarray(equals + 1, end - 1);
    at = end;
    if (key === "path") {
      if (found.path !== undefined) throw refused("an entry has two names or sizes");
      found.path = decodeName(value);
    } else if (key === "size") {
      if (found.size !== undefined) throw refused("an entry has two names or sizes");
      found.size = readSize(decodeName(value));
    } else if (key === "linkpath") {
      throw refused("it has a link; only files and folders are taken");
    } else if (key.startsWith("GNU.sparse.") || key === "hdrcharset") {
      throw refused("it has a sparse file or names of another encoding");
    }
  }
  return found;
}

function readSize(text: string): number {
  const size = /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(size)) throw refused("an entry has a size that cannot be read");
  return size;
}
