/**
 * Values of flows that are too large for a journal: stored once, as blobs of the tenant under the digest of their bytes, and handed on
 * by reference (core/flow/value.ts).
 *
 * L1 A value is durable before anything refers to it; what refers to it are rows of runs (`value-rows.ts`).
 * L2 A reference is made here or read from a journal, and never from JSON: nobody can write one.
 * L3 Bytes that were read have the digest they are named by; the last ones leave when that is known.
 * L4 What comes into memory is bounded; the rest is streamed.
 */
import { Readable } from "node:stream";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowValue, StoredPart, StoredValue } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Scope } from "../../database/database.ts";
import type { CallBodies, SentBody } from "../../engine/call-bodies.ts";
import { type CutPart, joinValue, splitValue } from "./split-value.ts";

export interface LargeValuesParts {
  readonly blobs: Pick<Blobs, "put" | "open" | "read">;
}

export const JSON_TYPE = "application/json";
export const TEXT_TYPE = "text/plain; charset=utf-8";
const BYTES_TYPE = "application/octet-stream";

export class LargeValues {
  readonly #blobs: LargeValuesParts["blobs"];

  constructor({ blobs }: LargeValuesParts) {
    this.#blobs = blobs;
  }

  /** L1: as it may lie in a journal. */
  async keep(scope: Scope, json: Json): Promise<FlowValue> {
    const split = splitValue(json, limit("flowValueBytesMax"));
    if (split.parts.length === 0) return { json };
    const stored: StoredPart[] = [];
    for (const { path, json: part } of split.parts) stored.push({ path, value: await this.#put(scope, part) });
    return { json: split.json, stored };
  }

  /** The whole value as JSON, for a call. Rejects with LimitExceeded. */
  async inlined(scope: Scope, value: FlowValue): Promise<Json> {
    const { stored = [] } = value;
    if (stored.length === 0) return value.json;
    const max = limit("flowInlinedBytesMax");
    const actual = stored.reduce((sum, part) => sum + part.value.bytes, 0);
    if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of stored values that one call is given as a whole", actual, max });
    const parts = await Promise.all(
      stored.map(async ({ path, value: part }): Promise<CutPart> => ({ path, json: await this.read(scope, part) })),
    );
    return joinValue(value.json, parts);
  }

  /** The smaller parts as they are, and of the others what they are: `{bytes, contentType, digest}`. */
  async described(scope: Scope, value: FlowValue): Promise<Json> {
    const { stored = [] } = value;
    let left = limit("flowContextInlinedBytesMax");
    const parts: CutPart[] = [];
    for (const { path, value: part } of stored.toSorted((a, b) => a.value.bytes - b.value.bytes)) {
      left -= part.bytes;
      const { bytes, contentType, digest } = part;
      parts.push({ path, json: left >= 0 ? await this.read(scope, part) : { bytes, contentType, digest } });
    }
    return joinValue(value.json, parts);
  }

  /** What it stands for in JSON: the value of JSON, the text of text, of other bytes base64. */
  async read(scope: Scope, { digest, contentType }: StoredValue): Promise<Json> {
    const bytes = await this.#blobs.read(scope.tenant, digest);
    if (bytes === undefined) throw gone(digest);
    if (!isText(bytes)) return bytes.toString("base64");
    const text = bytes.toString("utf8");
    return isJsonType(contentType) ? (jsonOf(text) ?? text) : text;
  }

  /** L3 */
  async open(scope: Scope, { digest }: Pick<StoredValue, "digest">): Promise<Readable> {
    const bytes = await this.#blobs.open(scope.tenant, digest);
    if (bytes === undefined) throw gone(digest);
    return Readable.from(checkedBeforeEnd(bytes), { objectMode: false });
  }

  /** Bodies of a request: one that is sent, and room for an answer. */
  bodies(scope: Scope, sent: StoredValue | null): CallBodies {
    const body: SentBody | null = sent === null ? null : { ...sent, open: () => this.open(scope, sent) };
    return {
      sent: body,
      keptAboveBytes: limit("flowValueBytesMax"),
      keep: async (source, contentType) => {
        const { digest, bytes } = await this.#blobs.put(scope.tenant, source, { bytesMax: limit("flowStoredBytesMax") });
        return { digest, bytes, contentType: contentType === "" ? BYTES_TYPE : contentType.slice(0, limit("flowContentTypeCharsMax")) };
      },
    };
  }

  async #put(scope: Scope, json: Json): Promise<StoredValue> {
    const isPlain = typeof json === "string" && json.isWellFormed();
    const source = async function* () {
      yield Buffer.from(isPlain ? json : JSON.stringify(json), "utf8");
    };
    const { digest, bytes } = await this.#blobs.put(scope.tenant, source(), { bytesMax: limit("flowStoredBytesMax") });
    return { digest, bytes, contentType: isPlain ? TEXT_TYPE : JSON_TYPE };
  }
}

/** A reader fails at the end of bytes that were changed; whoever has the last ones has the right ones. */
async function* checkedBeforeEnd(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let held: Buffer | undefined;
  for await (const chunk of source) {
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (held !== undefined) yield held;
}

function isJsonType(contentType: string): boolean {
  return /^[^;]*[/+]json\b/i.test(contentType);
}

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** undefined for what says that it is JSON and is not, or is too deep to be a value. */
function jsonOf(text: string): Json | undefined {
  try {
    scanJsonText(text, { depthMax: limit("valueDepthMax") - 8, what: "stored value" });
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function gone(digest: string) {
  return plinthError("StoreFailure", { what: `read the stored value ${digest.slice(0, 16)}: it is not there` });
}
