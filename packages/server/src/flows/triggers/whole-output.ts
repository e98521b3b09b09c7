/** Results of runs for those who get them as an answer: with what is stored in its place. */
import { filled, type StoredValue } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import type { Flows, RunDetail } from "../flows.ts";

const OUTPUT = "output";

/** Undefined when it is larger than an answer may be. */
export async function wholeOutput(flows: Pick<Flows, "value">, scope: Scope, run: RunDetail): Promise<Json | undefined> {
  const stored = run.stored.filter(({ path }) => path[0] === OUTPUT).map(({ path, value }) => ({ path: path.slice(1), value }));
  if (stored.length === 0) return run.output;
  if (stored.reduce((sum, { value }) => sum + value.bytes, 0) > limit("flowAnswerBytesMax")) return undefined;
  const read = new Map<string, Json>();
  for (const { value } of stored) read.set(value.digest, await jsonOf(flows, { scope, run: run.id, value }));
  return filled({ json: run.output, stored }, ({ digest }) => read.get(digest));
}

async function jsonOf(
  flows: Pick<Flows, "value">,
  { scope, run, value }: { readonly scope: Scope; readonly run: string; readonly value: StoredValue },
): Promise<Json> {
  const { body } = await flows.value(scope, { run, digest: value.digest });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array));
  const text = Buffer.concat(chunks).toString("utf8");
  if (!/^[^;]*[/+]json\b/i.test(value.contentType)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The body of somebody else's answer.
    return text;
  }
}
