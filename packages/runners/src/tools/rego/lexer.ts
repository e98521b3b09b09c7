/** Tokens of a policy. */
import { PolicyError } from "./syntax.ts";

export interface Token {
  readonly kind: "name" | "number" | "text" | "sign" | "end";
  readonly text: string;
  readonly line: number;
  /** Nothing stands between it and the token before. */
  readonly adjacent: boolean;
  /** It begins a line. */
  readonly startsLine: boolean;
}

const SIGNS = [
  ":=",
  "==",
  "!=",
  "<=",
  ">=",
  "=",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "%",
  "&",
  "|",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ";",
  ":",
  ".",
];
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const TEXT = /"(?:[^"\\\n]|\\.)*"/y;
const RAW_TEXT = /`[^`]*`/y;
const BLANK = /(?:[ \t\r\n]|#[^\n]*)+/y;
const TOKENS_MAX = 50_000;

export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let [adjacent, startsLine] = [false, true];
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const blank = take(BLANK);
    if (blank !== undefined) {
      const lines = blank.split("\n").length - 1;
      line += lines;
      at += blank.length;
      adjacent = false;
      startsLine ||= lines > 0;
      continue;
    }
    const token = tokenAt(source, { at, line, take });
    tokens.push({ ...token.token, line, adjacent, startsLine });
    if (tokens.length > TOKENS_MAX) throw new PolicyError(`the policy has more than ${TOKENS_MAX} words and signs`);
    line += token.length === 0 ? 0 : source.slice(at, at + token.length).split("\n").length - 1;
    at += token.length;
    [adjacent, startsLine] = [true, false];
  }
  tokens.push({ kind: "end", text: "the end of the policy", line, adjacent: false, startsLine: true });
  return tokens;
}

interface Found {
  readonly token: Pick<Token, "kind" | "text">;
  readonly length: number;
}

function tokenAt(
  source: string,
  { at, line, take }: { readonly at: number; readonly line: number; readonly take: (pattern: RegExp) => string | undefined },
): Found {
  const name = take(NAME);
  if (name !== undefined) return { token: { kind: "name", text: name }, length: name.length };
  const number = take(NUMBER);
  if (number !== undefined) return { token: { kind: "number", text: number }, length: number.length };
  const raw = take(RAW_TEXT);
  if (raw !== undefined) return { token: { kind: "text", text: raw.slice(1, -1) }, length: raw.length };
  const text = take(TEXT);
  if (text !== undefined) return { token: { kind: "text", text: unescaped(text, line) }, length: text.length };
  const sign = SIGNS.find((candidate) => source.startsWith(candidate, at));
  if (sign !== undefined) return { token: { kind: "sign", text: sign }, length: sign.length };
  const found = String.fromCodePoint(source.codePointAt(at) ?? 0);
  throw new PolicyError(found === '"' || found === "`" ? "a text does not end" : `'${found}' belongs to nothing`, line);
}

function unescaped(text: string, line: number): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw new PolicyError("a text has an escape that JSON does not have", line);
  }
}
