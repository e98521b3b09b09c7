/** `"%s: %.2f".format([…])` */
import type { Json } from "../../../operations/operation.ts";
import { describe } from "../values.ts";
import { shorten, type Work } from "../work.ts";
import { jsonText } from "./json-text.ts";

const DECIMALS_MOST = 20;
const DEFAULT_DECIMALS = 6;

export function formatText(template: string, values: readonly Json[], work: Work): string {
  work.growText(template.length);
  let made = "";
  let next = 0;
  let from = 0;
  for (let at = template.indexOf("%"); at !== -1; at = template.indexOf("%", from)) {
    made += template.slice(from, at);
    const end = verbEnd(template, at + 1);
    const verb = template.slice(at + 1, end);
    work.spend(1);
    if (verb === "%") made += "%";
    else {
      if (next >= values.length) return work.fail("value", `The template wants more values than the ${values.length} there are.`);
      made += formatOne(verb, values[next] ?? null, work);
      next += 1;
    }
    from = end;
  }
  return made + template.slice(from);
}

/** Behind `s`, `.2f` or whatever stands there. */
function verbEnd(template: string, from: number): number {
  let at = from;
  if (template[at] === ".") {
    at += 1;
    while (at < from + 3 && isDigit(template[at])) at += 1;
  }
  return Math.min(template.length, at + 1);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function formatOne(verb: string, value: Json, work: Work): string {
  if (verb === "s") return plainText(value, work);
  if (verb === "d") return formatNumber(value, 0, work);
  if (verb.endsWith("f")) {
    const decimals = verb === "f" ? DEFAULT_DECIMALS : Number(verb.slice(1, -1));
    if (Number.isInteger(decimals) && decimals <= DECIMALS_MOST) return formatNumber(value, decimals, work);
  }
  return work.fail("value", `\`%${shorten(verb)}\` is no form of a value; there are %s, %d, %f, %.2f and %%.`);
}

function formatNumber(value: Json, decimals: number, work: Work): string {
  if (typeof value !== "number") return work.fail("type", `A number is needed for the template, and this is ${describe(value)}.`);
  if (decimals === 0 && !Number.isInteger(value)) return work.fail("value", `\`%d\` takes whole numbers; \`%.0f\` rounds.`);
  const text = value.toFixed(decimals);
  work.growText(text.length);
  return text;
}

/** A value as a text: texts as they are, lists and records as JSON. */
export function plainText(value: Json, work: Work): string {
  if (typeof value !== "string") return jsonText(value, work);
  work.growText(value.length);
  return value;
}
