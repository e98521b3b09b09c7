/** Keys of branches: `plb_<id>_<secret>` with 256 random bits of secret. Only the sha-256 is stored (R2). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Runtime } from "../runtime/runtime.ts";

/** A digest that no key has: what is compared when there is no branch, so that the answer takes as long. */
const NO_DIGEST = Buffer.alloc(32);

export function newBranchKey(runtime: Runtime): { readonly key: string; readonly sha256: string } {
  const id = Buffer.from(runtime.randomBytes(8)).toString("hex");
  const key = `plb_${id}_${Buffer.from(runtime.randomBytes(32)).toString("base64url")}`;
  return { key, sha256: digestOf(key).toString("hex") };
}

/** R2: whether `key` is the one with this digest; false without a digest. */
export function isBranchKey(key: string | undefined, sha256: string | undefined): boolean {
  const same = timingSafeEqual(digestOf(key ?? ""), sha256 === undefined ? NO_DIGEST : Buffer.from(sha256, "hex"));
  return same && sha256 !== undefined && key !== undefined;
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
