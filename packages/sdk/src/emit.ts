import { convexToJson, type Value } from "convex/values";
import { syscall } from "./impl/syscall.ts";

/**
 * Sends a partial result of an action to those who stream the invocation (`Accept: text/event-stream`), in order, before
 * the final one. It is not stored; who looks later sees the final result only. Resolves when the host has it. Rejects in
 * queries and mutations, whose results exist only when they have committed.
 */
export async function emit(value: Value): Promise<void> {
  await syscall("plinth/emit", { value: convexToJson(value) });
}
