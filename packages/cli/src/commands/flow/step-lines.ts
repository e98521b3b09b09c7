/** One line for each thing that a step does, with the time that it took. */
import type { Json } from "../../client.ts";
import { numberOf, part, text } from "./json-parts.ts";
import { durationText, timeText } from "./times.ts";

const WORDS: Readonly<Record<string, string>> = {
  begun: "begins",
  ended: "done",
  failed: "failed",
  retrying: "tried again",
  undone: "undone",
};

/** A line that code of a step has printed. */
export function printedLine(node: string, line: Json): string {
  return `${timeText(numberOf(line, "atMs")).slice(11)}    ${node} [${text(line, "level").toUpperCase()}] ${text(line, "text")}`;
}

export class StepLines {
  /** When steps began, by their keys. */
  readonly #begun = new Map<string, number>();

  line(step: Json): string {
    const [kind, atMs] = [text(step, "kind"), numberOf(step, "atMs")];
    // Loops and branches have no key.
    const key = text(step, "key") || `${text(step, "node")} ${text(step, "chain")} ${numberOf(step, "place")}`;
    const begunMs = this.#begun.get(key);
    if (kind === "begun") this.#begun.set(key, atMs);
    else if (kind !== "retrying") this.#begun.delete(key);
    const place =
      text(step, "chain") === "main" || text(step, "chain") === "" ? "" : ` [${text(step, "chain")} ${numberOf(step, "place")}]`;
    const took = begunMs === undefined || kind === "begun" ? "" : `  ${durationText(atMs - begunMs)}`;
    const attempt = numberOf(step, "attempt") > 1 ? `  attempt ${numberOf(step, "attempt")}` : "";
    const why = text(part(step, "error"), "message");
    const name = `${text(step, "node")}${place}`.padEnd(24);
    return `${timeText(atMs).slice(11)}  ${name} ${WORDS[kind] ?? kind}${took}${attempt}${why === "" ? "" : `  ${why}`}`;
  }
}
