import { expect, test } from "vitest";
import { unifiedDiff } from "./line-diff.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const text = (all: readonly string[]) => `${all.join("\n")}\n`;

test("hunks count the lines of both texts before them", () => {
  const from = lines(30);
  const to = [...from.slice(0, 4), "new", ...from.slice(4, 20), ...from.slice(22)];
  const diff = unifiedDiff({ from: text(from), to: text(to) }, "m");
  expect(diff.match(/^@@.*@@$/gm)).toEqual(["@@ -2,6 +2,7 @@", "@@ -18,8 +19,6 @@"]);
  expect(diff).toContain("+new\n");
  expect(diff).toContain("-line 21\n-line 22\n");
});

test("many hunks in a long text do not take long", () => {
  const same = Array.from({ length: 400_000 }, () => "s");
  const changed = (mark: string) => Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? `${mark}${i}` : `m${i}`));
  const startCpu = process.cpuUsage();
  const diff = unifiedDiff({ from: text([...same, ...changed("a")]), to: text([...same, ...changed("b")]) }, "m");
  expect(diff.match(/^@@/gm)?.length).toBe(100);
  expect(process.cpuUsage(startCpu).user / 1000).toBeLessThan(4500);
});
