/** The tree of one expression. `at` is an offset in its text. */
export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "in";

export type Syntax =
  | { readonly kind: "literal"; readonly at: number; readonly value: null | boolean | number | string }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  | { readonly kind: "field"; readonly at: number; readonly target: Syntax; readonly field: string }
  | { readonly kind: "index"; readonly at: number; readonly target: Syntax; readonly index: Syntax }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: string;
      /** `text.lower()`: the text is the first argument then. */
      readonly isMethod: boolean;
      readonly args: readonly Syntax[];
    }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Syntax[] }
  | { readonly kind: "record"; readonly at: number; readonly entries: readonly (readonly [key: Syntax, value: Syntax])[] }
  | { readonly kind: "conditional"; readonly at: number; readonly condition: Syntax; readonly yes: Syntax; readonly no: Syntax }
  | { readonly kind: "not"; readonly at: number; readonly operand: Syntax }
  | { readonly kind: "negate"; readonly at: number; readonly operand: Syntax }
  | { readonly kind: "and"; readonly at: number; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: "or"; readonly at: number; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: "binary"; readonly at: number; readonly operator: BinaryOperator; readonly left: Syntax; readonly right: Syntax };

export type CallSyntax = Extract<Syntax, { kind: "call" }>;

/** Methods that evaluate their arguments once for each element, which their first argument names. */
export const LOOPS = ["all", "exists", "exists_one", "filter", "find", "map", "sortBy"] as const;
export type LoopName = (typeof LOOPS)[number];

export interface Loop {
  readonly name: LoopName;
  readonly at: number;
  readonly list: Syntax;
  readonly variable: Syntax;
  readonly body: readonly Syntax[];
}

/** `list.map(x, x + 1)` taken apart; null for other calls. */
export function asLoop(call: CallSyntax): Loop | null {
  const name = LOOPS.find((loop) => loop === call.name);
  const [list, variable, ...body] = call.args;
  return name === undefined || !call.isMethod || list === undefined || variable === undefined
    ? null
    : { name, at: call.at, list, variable, body };
}
