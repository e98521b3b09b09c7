import type { Bench } from "./bench.ts";
import { reusingProcesses } from "./packages.ts";
import { measureWarmHandler } from "./warm-handler.ts";

/** A call of a Python handler whose process runs; the package asks for processes that serve several calls. */
export const pythonWarm: Bench = () => measureWarmHandler({ name: "python-warm", folder: "python", change: reusingProcesses });
