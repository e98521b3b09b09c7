import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("what a parent left open is closed, and the engine's own files stay", () => {
  const script = `
    import { closeInheritedFiles } from ${JSON.stringify(join(import.meta.dirname, "inherited-files.ts"))};
    import { execFileSync } from "node:child_process";
    const closed = closeInheritedFiles();
    const left = execFileSync("/bin/sh", ["-c", "ls /proc/self/fd"], { encoding: "utf8" }).split("\\n").filter((fd) => Number(fd) > 3);
    console.log(JSON.stringify({ closed, left, again: closeInheritedFiles() }));`;
  const command = `exec 77</dev/null; exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`;
  const output = execFileSync("/bin/bash", ["-c", command, process.execPath, script], { encoding: "utf8" });
  const { closed, left, again } = JSON.parse(output) as { closed: number[]; left: string[]; again: number[] };
  expect(closed).toEqual(expect.arrayContaining([77]));
  expect(left).toEqual([]);
  expect(again).toEqual([]);
});
