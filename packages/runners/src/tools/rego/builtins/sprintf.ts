/** `sprintf` as Go formats: verbs that do not fit their value say so in the text instead of failing. */
import { numberText, shownValue, type Value } from "../values.ts";

const VERB = /%([-+0 #]{0,5})([0-9]{0,3})(?:\.([0-9]{0,2}))?([A-Za-z%])/g;

export function sprintf(format: string, values: readonly Value[]): string {
  let used = 0;
  const text = format.replace(VERB, (_whole, flags: string, width: string, precision: string | undefined, verb: string) => {
    if (verb === "%") return "%";
    const value = values[used++];
    if (value === undefined) return `%!${verb}(MISSING)`;
    return padded(formatted(value, { verb, precision, flags }), { width: Number(width), flags });
  });
  const left = values.slice(used);
  return left.length === 0 ? text : `${text}%!(EXTRA ${left.map((value) => `${goType(value)}=${plain(value)}`).join(", ")})`;
}

interface Form {
  readonly verb: string;
  readonly precision: string | undefined;
  readonly flags: string;
}

function formatted(value: Value, { verb, precision, flags }: Form): string {
  const digits = precision === undefined ? undefined : Number(precision);
  const sign = (text: string) => (flags.includes("+") && !text.startsWith("-") ? `+${text}` : text);
  if (verb === "v") return typeof value === "number" ? sign(plain(value)) : plain(value);
  if (typeof value === "number" && Number.isInteger(value)) {
    if (verb === "d") return sign(numberText(value));
    if (verb === "x") return value.toString(16);
    if (verb === "X") return value.toString(16).toUpperCase();
    if (verb === "o") return value.toString(8);
    if (verb === "b") return value.toString(2);
    if (verb === "c") return value >= 0 && value <= 0x10_ff_ff ? String.fromCodePoint(value) : "\uFFFD";
  } else if (typeof value === "number") {
    if (verb === "f" || verb === "F") return sign(value.toFixed(digits ?? 6));
    if (verb === "e" || verb === "g") return sign(verb === "e" ? value.toExponential(digits ?? 6) : String(value));
  } else if (typeof value === "boolean") {
    if (verb === "t") return String(value);
  } else {
    const text = plain(value);
    if (verb === "s") return digits === undefined ? text : Array.from(text).slice(0, digits).join("");
    if (verb === "q") return JSON.stringify(text);
    if (verb === "x") return Buffer.from(text, "utf8").toString("hex");
  }
  return `%!${verb}(${goType(value)}=${plain(value)})`;
}

function padded(text: string, { width, flags }: { readonly width: number; readonly flags: string }): string {
  if (text.length >= width) return text;
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0")) return text.padStart(width);
  return text.startsWith("-") ? `-${text.slice(1).padStart(width - 1, "0")}` : text.padStart(width, "0");
}

function plain(value: Value): string {
  return typeof value === "string" ? value : shownValue(value);
}

function goType(value: Value): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}
