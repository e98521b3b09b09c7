/** Makes archives as hostile writers do: any header, any bytes. */
import { BLOCK_BYTES, checksumOf, writeHeader } from "./tar-format.ts";
import { TarReader } from "./tar-reader.ts";

const encoder = new TextEncoder();

export interface RawEntry {
  readonly name: string | Uint8Array;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  /** Said in the header, instead of the real one. */
  readonly size?: number;
  readonly change?: (block: Uint8Array) => void;
}

export const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === "string" ? encoder.encode(text) : text);

export function rawTar(entries: readonly RawEntry[], end: Uint8Array = new Uint8Array(2 * BLOCK_BYTES)): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const body = bytesOf(entry.body ?? "");
    const block = writeHeader({ name: new Uint8Array(), size: entry.size ?? body.length, type: "0" });
    block.set(bytesOf(entry.name).subarray(0, 100));
    block[156] = (entry.type ?? "0").charCodeAt(0);
    entry.change?.(block);
    block.set(encoder.encode(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `), 148);
    parts.push(block, body, new Uint8Array((BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES));
  }
  return Buffer.concat([...parts, end]);
}

export function pax(records: Readonly<Record<string, string>>, type = "x"): RawEntry {
  const text = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return { name: "pax", type, body: text.join("") };
}

export function paxRecord(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + 1;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** Files by path (null = folder). `cut` gives the lengths of the pieces in which the archive comes. */
export function readTar(archive: Uint8Array, cut: readonly number[] = [archive.length]): Record<string, string | null> {
  const reader = new TarReader();
  const files: Record<string, string | null> = {};
  let path = "";
  let body: Uint8Array[] = [];
  for (let at = 0, i = 0; at < archive.length; i++) {
    const length = Math.max(1, cut[i % cut.length] ?? 1);
    for (const event of reader.push(archive.subarray(at, at + length))) {
      if (event.type === "folder") files[event.path] = null;
      else if (event.type === "file") [path, body] = [event.path, []];
      else if (event.type === "data") body.push(event.bytes.slice());
      else files[path] = Buffer.concat(body).toString("utf8");
    }
    at += length;
  }
  reader.end();
  return files;
}
