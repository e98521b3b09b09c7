import { expect, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { withPooledRandom } from "./pooled-random.ts";

test("no two draws share bytes, across blocks too, and K10 ids do not repeat", () => {
  const runtime = withPooledRandom(createSystemRuntime());
  const seen = new Set<string>();
  for (let at = 0; at < 100_000; at++) seen.add(Buffer.from(runtime.randomBytes(at % 2 === 0 ? 10 : 16)).toString("hex"));
  expect(seen.size).toBe(100_000);
  expect(runtime.randomBytes(5000).length).toBe(5000);
  const drawn = runtime.randomBytes(4);
  drawn.fill(0);
  expect(Buffer.from(runtime.randomBytes(8)).equals(Buffer.alloc(8))).toBe(false);
});
