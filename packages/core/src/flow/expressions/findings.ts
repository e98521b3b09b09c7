/** Collects what is wrong with one text, with places in it. */
import { limit } from "../../limits.ts";

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

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  add(offset: number, message: string): void {
    if (this.#list.length < limit("expressionFindingsMax")) this.#list.push({ message, position: this.position(offset) });
  }

  position(offset: number): Position {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    let line = 1;
    for (let i = before.indexOf("\n"); i !== -1; i = before.indexOf("\n", i + 1)) line += 1;
    return { line, column: offset - lineStart + 1 };
  }
}
