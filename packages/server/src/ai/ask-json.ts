/** Questions whose answer is JSON: asked once, and once more with what was wrong about the first answer. */
import { plinthError } from "@plinth/core/errors.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { limit } from "@plinth/core/limits.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonSchema } from "@plinth/core/operations/operation.ts";
import type { AiAnswer, AiClient, AiQuestion, AiUsage } from "./ai-client.ts";
import { jsonProblem } from "./check-json.ts";

export interface JsonAnswer {
  readonly json: Json;
  /** Of both questions. */
  readonly usage: AiUsage;
  readonly answer: AiAnswer;
}

/** What stands for answers that are no objects: the protocols want one. */
const WRAPPED = "value";

/** Rejects with AiAnswerInvalid when the second answer does not fit either. */
export async function askJson(client: AiClient, question: AiQuestion & { readonly schema: JsonSchema }): Promise<JsonAnswer> {
  const wraps = question.schema["type"] !== "object";
  const schema: JsonSchema = wraps
    ? { type: "object", properties: { [WRAPPED]: question.schema }, required: [WRAPPED], additionalProperties: false }
    : question.schema;
  // Many endpoints take a schema and do not look at it.
  const asked = `Answer with JSON alone, without Markdown around it, that fits this JSON Schema: ${JSON.stringify(schema)}`;
  const system = question.system === null ? asked : `${question.system}\n\n${asked}`;
  const first = await client.ask({ ...question, system, schema });
  const read = readAnswer(first.text, schema);
  if (read.problem === null) return { json: unwrap(read.json, wraps), usage: first.usage, answer: first };
  const second = await client.ask({
    ...question,
    system,
    schema,
    messages: [
      ...question.messages,
      { role: "assistant", text: first.text.slice(0, limit("aiAnswerShownCharsMax")) || "(nothing)" },
      { role: "user", text: `That answer cannot be used: ${read.problem}. Answer again, with JSON alone that fits the schema.` },
    ],
  });
  const again = readAnswer(second.text, schema);
  if (again.problem !== null) throw plinthError("AiAnswerInvalid", { detail: again.problem });
  return { json: unwrap(again.json, wraps), usage: sum(first.usage, second.usage), answer: second };
}

function readAnswer(text: string, schema: JsonSchema): { readonly json: Json; readonly problem: string | null } {
  const json = jsonIn(text);
  return json === undefined ? { json: null, problem: "it is not JSON" } : { json, problem: jsonProblem(json, schema) };
}

/** The JSON of an answer; models like to put it into a block of Markdown, or a sentence around it. */
function jsonIn(text: string): Json | undefined {
  const begin = text.indexOf("{");
  const end = text.lastIndexOf("}");
  for (const candidate of [text.trim(), begin < 0 || end < begin ? "" : text.slice(begin, end + 1)]) {
    if (candidate === "") continue;
    try {
      scanJsonText(candidate, { depthMax: limit("valueDepthMax"), what: "model's answer" });
      return JSON.parse(candidate) as Json;
    } catch {
      continue;
    }
  }
  return undefined;
}

function unwrap(json: Json, wraps: boolean): Json {
  return wraps && isObject(json) ? (json[WRAPPED] ?? null) : json;
}

function sum(a: AiUsage, b: AiUsage): AiUsage {
  return { inputTokens: a.inputTokens + b.inputTokens, outputTokens: a.outputTokens + b.outputTokens };
}
