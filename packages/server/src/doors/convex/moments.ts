/** `/api/query_ts` and `/api/query_at_ts`: queries that all read the same moment. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Timestamp } from "../../store/store.ts";
import { jsonReply, jsonTextReply, type Reply, type Route } from "../door.ts";
import { textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { callFunction } from "./call-function.ts";
import { readCall } from "./functions.ts";

const NS_PER_US = 1000n;

export const queryTs: Route = {
  method: "POST",
  path: "/api/query_ts",
  access: "public",
  crossOrigin: true,
  handle: (context): Promise<Reply> => Promise.resolve(jsonReply({ ts: encodeTs(context.database.latest()) })),
};

export const queryAtTs: Route = {
  method: "POST",
  path: "/api/query_at_ts",
  access: "public",
  crossOrigin: true,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const call = { ...readCall(body), kind: "query" as const, at: decodeTs(textField(body, "ts")), signal: request.signal() };
    return jsonTextReply(await callFunction(context, request, call));
  },
};

/** Clients see nanoseconds as a little-endian u64 in base64. */
export function encodeTs(ts: Timestamp): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(ts) * NS_PER_US);
  return bytes.toString("base64");
}

export function decodeTs(text: string): Timestamp {
  const bytes = Buffer.from(text, "base64");
  const us = bytes.length === 8 ? bytes.readBigUInt64LE() / NS_PER_US : -1n;
  if (us < 0n || us > BigInt(Number.MAX_SAFE_INTEGER))
    throw plinthError("BadRequest", { detail: "`ts` must be a moment that `/api/query_ts` gave." });
  return Number(us);
}
