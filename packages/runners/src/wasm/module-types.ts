/** Reads the types of a module, as far as is needed to know the signatures of its functions. */
import { type ByteReader, ModuleError } from "./byte-reader.ts";

const LETTERS: Readonly<Record<number, string>> = { 0x7f: "i", 0x7e: "I", 0x7d: "f", 0x7c: "F" };
/** Any other type of value. */
const OTHER = "?";

const REC_GROUP = 0x4e;
const SUB = 0x50;
const SUB_FINAL = 0x4f;
const FUNCTION = 0x60;
const STRUCT = 0x5f;
const ARRAY = 0x5e;
const REF = 0x64;
const REF_NULL = 0x63;

/** Signatures like `iI>i`; null for types that are no functions. */
export type Signatures = readonly (string | null)[];

export function readTypes(reader: ByteReader, typesMax: number): Signatures {
  const signatures: (string | null)[] = [];
  for (let groups = reader.count("types", typesMax); groups > 0; groups--) {
    const form = reader.byte();
    if (form !== REC_GROUP) {
      signatures.push(readType(reader, form));
      continue;
    }
    for (let types = reader.count("types", typesMax - signatures.length); types > 0; types--)
      signatures.push(readType(reader, reader.byte()));
  }
  return signatures;
}

function readType(reader: ByteReader, first: number): string | null {
  let form = first;
  if (form === SUB || form === SUB_FINAL) {
    for (let supers = reader.count("supertypes", 1); supers > 0; supers--) reader.u32();
    form = reader.byte();
  }
  switch (form) {
    case FUNCTION:
      return `${readValueTypes(reader)}>${readValueTypes(reader)}`;
    case STRUCT:
      for (let fields = reader.count("fields", 10_000); fields > 0; fields--) skipField(reader);
      return null;
    case ARRAY:
      skipField(reader);
      return null;
    default:
      throw new ModuleError(`it has a type of the unknown form 0x${form.toString(16)}`);
  }
}

function readValueTypes(reader: ByteReader): string {
  let letters = "";
  for (let count = reader.count("parameters of a function", 1000); count > 0; count--) letters += readValueType(reader);
  return letters;
}

export function readValueType(reader: ByteReader): string {
  const code = reader.byte();
  if (code === REF || code === REF_NULL) reader.skipNumber();
  else if (code < 0x40 || code > 0x7f) throw new ModuleError(`it has a value of the unknown type 0x${code.toString(16)}`);
  return LETTERS[code] ?? OTHER;
}

function skipField(reader: ByteReader): void {
  readValueType(reader);
  reader.byte();
}
