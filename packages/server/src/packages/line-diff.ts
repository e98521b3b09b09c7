/** The unified diff of two short texts. */
import { limit } from "@plinth/core/limits.ts";

const CONTEXT_LINES = 3;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Empty when the texts are the same. Of texts that differ in very many lines, all of these are shown as replaced. */
export function unifiedDiff(texts: { readonly from: string; readonly to: string }, name: string): string {
  if (texts.from === texts.to) return "";
  const lines = compare(linesOf(texts.from), linesOf(texts.to));
  return `--- a/${name}\n+++ b/${name}\n${hunks(lines).join("")}`;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function compare(from: readonly string[], to: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  const same = (text: string): Line => ({ sign: " ", text });
  return [
    ...from.slice(0, start).map(same),
    ...compareMiddle(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...from.slice(from.length - end).map(same),
  ];
}

/** By the longest common subsequence, as far as its table is small. */
function compareMiddle(from: readonly string[], to: readonly string[]): readonly Line[] {
  const removed = from.map((text): Line => ({ sign: "-", text }));
  const added = to.map((text): Line => ({ sign: "+", text }));
  if (from.length * to.length > limit("manifestDiffStepsMax")) return [...removed, ...added];
  const width = to.length + 1;
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = from[i] === to[j] ? (lengths[at + width + 1] ?? 0) + 1 : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const at = i * width + j;
    if (from[i] === to[j]) {
      lines.push({ sign: " ", text: from[i] ?? "" });
      i++;
      j++;
    } else if ((lengths[at + width] ?? 0) >= (lengths[at + 1] ?? 0)) lines.push({ sign: "-", text: from[i++] ?? "" });
    else lines.push({ sign: "+", text: to[j++] ?? "" });
  }
  return [...lines, ...removed.slice(i), ...added.slice(j)];
}

function hunks(lines: readonly Line[]): readonly string[] {
  const changed = lines.flatMap((line, index) => (line.sign === " " ? [] : [index]));
  const ranges: { start: number; end: number }[] = [];
  for (const index of changed) {
    const [start, end] = [Math.max(0, index - CONTEXT_LINES), Math.min(lines.length, index + CONTEXT_LINES + 1)];
    const last = ranges.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else ranges.push({ start, end });
  }
  // Lines of either text before the hunk; counted once, as there may be many hunks.
  const before = { "-": 0, "+": 0 };
  let counted = 0;
  return ranges.map(({ start, end }) => {
    for (; counted < start; counted++) for (const without of ["-", "+"] as const) if (lines[counted]?.sign !== without) before[without]++;
    const body = lines.slice(start, end);
    const range = (without: "-" | "+") => {
      const length = body.filter(({ sign }) => sign !== without).length;
      return `${before[without] + (length === 0 ? 0 : 1)},${length}`;
    };
    return `@@ -${range("+")} +${range("-")} @@\n${body.map(({ sign, text }) => `${sign}${text}\n`).join("")}`;
  });
}
