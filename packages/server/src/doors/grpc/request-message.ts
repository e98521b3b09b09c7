/**
 * A look at a request's message before it is parsed: its bytes, after decompression, and how many values it holds. A field of two
 * bytes becomes an object of a hundred in memory, and parsing holds the event loop, so bytes alone bound neither.
 *
 * Q1 Nothing is read before the gate has let the call pass: the body is pulled by the handler, which asks the gate first.
 * Q2 What is held counts against the memory for bodies of all requests until the call ends.
 */
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export const COMPRESSIONS = [compressionGzip, compressionBrotli];

const ENVELOPE_BYTES = 5;
const COMPRESSED = 0b1;

export interface MessageForm {
  readonly json: boolean;
  /** Five bytes before the message: its flags and its length. */
  readonly enveloped: boolean;
  readonly encoding: string | null;
}

export function messageForm(headers: Headers): MessageForm {
  const type = headers.get("content-type") ?? "";
  const json = /\bjson\b/.test(type);
  if (type.startsWith("application/grpc")) return { json, enveloped: true, encoding: headers.get("grpc-encoding") };
  if (type.startsWith("application/connect+")) return { json, enveloped: true, encoding: headers.get("connect-content-encoding") };
  return { json, enveloped: false, encoding: headers.get("content-encoding") };
}

/** The body in one piece, after the checks. */
export async function readRequestMessage(
  body: AsyncIterable<Uint8Array>,
  {
    input,
    form,
    hold,
    turn,
  }: {
    readonly input: DescMessage;
    readonly form: MessageForm;
    /** Q2; throws when there is no room. */ readonly hold: (bytes: number) => void;
    /** Resolves when a message of this size may be parsed. */
    readonly turn: (bytes: number) => Promise<void>;
  },
): Promise<Uint8Array> {
  const bytes = await readAll(body, hold);
  const message = await plainMessage(bytes, form, hold);
  if (message === undefined) return bytes;
  await turn(message.length);
  if (form.json) scanJsonText(message, { depthMax: limit("jsonDepthMax"), what: "message" });
  else countFields(input, message);
  return bytes;
}

async function readAll(body: AsyncIterable<Uint8Array>, hold: (bytes: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const max = limit("grpcReceiveBytesMax");
  for await (const chunk of body) {
    length += chunk.length;
    if (length > max + ENVELOPE_BYTES) throw tooLarge();
    hold(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

/** The message without envelope and compression; undefined for what the handler itself refuses. */
async function plainMessage(bytes: Uint8Array, form: MessageForm, hold: (bytes: number) => void): Promise<Uint8Array | undefined> {
  const framed = form.enveloped ? unwrap(bytes) : { message: bytes, compressed: form.encoding !== null && form.encoding !== "identity" };
  if (framed === undefined) return undefined;
  if (!framed.compressed || framed.message.length === 0) return framed.message;
  const compression = COMPRESSIONS.find(({ name }) => name === form.encoding);
  if (compression === undefined) return undefined;
  const plain = await compression.decompress(framed.message, limit("grpcReceiveBytesMax"));
  hold(plain.length);
  return plain;
}

/** The one message that each method takes. More than one, or a part of one, is refused when the handler reads it. */
function unwrap(bytes: Uint8Array): { readonly message: Uint8Array; readonly compressed: boolean } | undefined {
  if (bytes.length < ENVELOPE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(1);
  if (length > limit("grpcReceiveBytesMax")) throw tooLarge();
  // A second message would be parsed before it is refused.
  if (bytes.length > ENVELOPE_BYTES + length) throw plinthError("BadRequest", { detail: "The method takes one message." });
  return { message: bytes.subarray(ENVELOPE_BYTES), compressed: (view.getUint8(0) & COMPRESSED) !== 0 };
}

/** What bytes hold: a message, or an entry of a map, which is one without a descriptor of its own. */
type Container =
  | { readonly kind: "message"; readonly desc: DescMessage }
  | { readonly kind: "entry"; readonly value: DescMessage | undefined };

/** Counts fields of a message and of those within it, without making any of them. */
function countFields(desc: DescMessage, message: Uint8Array): void {
  const max = limit("grpcRequestFieldsMax");
  const open: { readonly container: Container; readonly bytes: Uint8Array }[] = [{ container: { kind: "message", desc }, bytes: message }];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const isValue = next.container.kind === "message" && next.container.desc.typeName === "google.protobuf.Value";
    for (const { number, bytes, double } of fieldsOf(next.bytes)) {
      // JSON has no such number, and would hold null in its place.
      if (isValue && number === NUMBER_VALUE && double !== undefined && !Number.isFinite(double))
        throw plinthError("InvalidValue", { detail: `The message holds the number ${double}, which JSON does not have.` });
      count += 1;
      if (count > max) throw plinthError("TooManyValues", { what: "message", max: limit("jsonValuesMax") });
      const container = bytes === undefined ? undefined : containerIn(next.container, number);
      if (bytes !== undefined && container !== undefined) open.push({ container, bytes });
    }
  }
}

/** Of `google.protobuf.Value`. */
const NUMBER_VALUE = 2;

interface WireField {
  readonly number: number;
  readonly bytes: Uint8Array | undefined;
  readonly double: number | undefined;
}

function* fieldsOf(message: Uint8Array): Iterable<WireField> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    let field: WireField;
    try {
      const [number, wireType] = reader.tag();
      const delimited = wireType === WireType.LengthDelimited;
      const double = wireType === WireType.Bit64 ? reader.double() : undefined;
      field = { number, bytes: delimited ? reader.bytes() : undefined, double };
      if (!delimited && double === undefined) reader.skip(wireType, number, 0);
    } catch {
      throw plinthError("BadRequest", { detail: "The message is not valid protobuf." });
    }
    yield field;
  }
}

function containerIn(container: Container, number: number): Container | undefined {
  if (container.kind === "entry") {
    return number === 2 && container.value !== undefined ? { kind: "message", desc: container.value } : undefined;
  }
  const field = container.desc.fields.find((candidate) => candidate.number === number);
  switch (field?.fieldKind) {
    case "message":
      return { kind: "message", desc: field.message };
    case "list":
      return field.listKind === "message" ? { kind: "message", desc: field.message } : undefined;
    case "map":
      return { kind: "entry", value: field.mapKind === "message" ? field.message : undefined };
    default:
      return undefined;
  }
}

function tooLarge() {
  return plinthError("RequestTooLarge", { what: "message", actual: "more bytes", max: `${limit("grpcReceiveBytesMax")} bytes` });
}
