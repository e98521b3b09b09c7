import type { Bench } from "./bench.ts";
import { measureWarmHandler } from "./warm-handler.ts";

/** A call of a Node handler whose process runs. */
export const nodeWarm: Bench = () => measureWarmHandler({ name: "node-warm", folder: "node", goalMs: 2 });
