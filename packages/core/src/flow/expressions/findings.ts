/** Collects what is wrong with one text, with places in it. */
import { limit } from "../../limits.ts";
import { didYouMean } from "../../manifest/near-miss.ts";
import { shorten } from "./work.ts";

/** Names that are compared with an unknown one, and named. */
const COMPARED_NAMES = 50;
const SHOWN_NAMES = 12;

/** 1-based; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ExpressionFinding {
  readonly message: string;
  readonly position: Position;
}

export class Findings {
  readonly #text: string;
  readonly #list: ExpressionFinding[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  get list(): readonly ExpressionFinding[] {
    return this.#list;
  }

  /** No more are told, so nobody needs to find words for them. */
  get isFull(): boolean {
    return this.#list.length >= limit("expressionFindingsMax");
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  add(offset: number, message: string): void {
    if (!this.isFull) this.#list.push({ message, position: this.position(offset) });
  }

  /** A name that is not among the known ones. */
  addUnknown(offset: number, message: string, name: string, known: readonly string[]): void {
    if (!this.isFull) this.add(offset, `${message}${didYouMean(name, known.slice(0, COMPARED_NAMES))}${listed(known)}`);
  }

  position(offset: number): Position {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    let line = 1;
    for (let i = before.indexOf("\n"); i !== -1; i = before.indexOf("\n", i + 1)) line += 1;
    return { line, column: offset - lineStart + 1 };
  }
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return " There are none.";
  const shown = names.slice(0, SHOWN_NAMES).map(shorten).join(", ");
  return ` There ${names.length === 1 ? "is" : "are"} ${shown}${names.length > SHOWN_NAMES ? ", …" : ""}.`;
}
