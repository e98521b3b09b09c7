/** Values that an action or handler reads and writes by pieces. */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { CallFrame } from "../call-frame.ts";
import type { CallValues } from "../call-values.ts";
import { OUTGOING, type HostCall } from "./host-call.ts";
import { type Fields, numberOf, parseCall, textOf, wrong } from "./parse-call.ts";

const CONTENT_TYPE = /^[\x21-\x7e]{1,64}\/[\x20-\x7e]{1,128}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const PIECE_BYTES_MAX = limit("valuePieceBytesMax");

export const readValue = valueCall("plinth/readValue", async (values, fields) => {
  const piece = { offset: countOf(fields, "offset"), bytes: countOf(fields, "bytes") };
  if (piece.bytes < 1 || piece.bytes > PIECE_BYTES_MAX) throw wrong("bytes", `a number from 1 to ${PIECE_BYTES_MAX}`);
  const { body, done } = await values.read(textOf(fields, "handle"), piece);
  return { bodyBase64: body.toString("base64"), done };
});

export const beginValue = valueCall("plinth/beginValue", async (values, fields) => {
  const contentType = textOf(fields, "contentType");
  if (!CONTENT_TYPE.test(contentType)) throw wrong("contentType", "a media type");
  return { writer: values.begin(contentType) };
});

export const writeValue = valueCall("plinth/writeValue", async (values, fields) => {
  const text = textOf(fields, "bodyBase64");
  if (!BASE64.test(text)) throw wrong("bodyBase64", "base64");
  const body = Buffer.from(text, "base64");
  if (body.length > PIECE_BYTES_MAX)
    throw plinthError("LimitExceeded", { what: "Bytes of a piece of a value", actual: body.length, max: PIECE_BYTES_MAX });
  await values.write(textOf(fields, "writer"), { offset: countOf(fields, "offset"), body });
  return null;
});

export const finishValue = valueCall("plinth/finishValue", (values, fields) => values.finish(textOf(fields, "writer")));

function valueCall(op: string, perform: (values: CallValues, fields: Fields) => Promise<unknown>): HostCall {
  return {
    kinds: OUTGOING,
    perform: async (frame, argText) => {
      const values = valuesOf(frame);
      return JSON.stringify(await perform(values, parseCall(op, argText)));
    },
  };
}

function valuesOf(frame: CallFrame): CallValues {
  const { values } = frame.options.run;
  if (values !== undefined) return values;
  throw plinthError("EffectDenied", { detail: "Only code that a step of a flow calls itself reads and writes values by pieces." });
}

function countOf(fields: Fields, name: string): number {
  const count = numberOf(fields, name);
  if (!Number.isSafeInteger(count) || count < 0) throw wrong(name, "a count of bytes");
  return count;
}
