/** `functions`. */
import { limit } from "../../limits.ts";
import type { FunctionSpec } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";
import { identifier } from "./names.ts";

const MiB = 1024 * 1024;
const RETRIES = { min: 0, max: limit("functionRetriesMax") };
const MIN_INTERVAL_SECONDS = { min: 0, max: limit("functionMinIntervalSecondsMax"), integer: false };
const TIMEOUT_SECONDS = { min: 1, max: limit("functionTimeoutSecondsMax") };
const MEMORY_MB = { min: limit("functionMemoryBytesMin") / MiB, max: limit("functionMemoryBytesMax") / MiB };
const SCRATCH_MB = { min: 0, max: limit("functionScratchBytesMax") / MiB };

type RuntimePart = Omit<FunctionSpec, "name" | "description" | "supportsSynchronization">;

const DEFAULTS: RuntimePart = { maxRetries: 0, minIntervalMs: 0, keyrings: null, timeoutMs: null, memoryBytes: null, scratchBytes: 0 };

export function readFunction(reader: ObjectReader): FunctionSpec {
  const config = reader.object("config", (inner) => inner.object("runtime", readRuntime));
  return {
    name: identifier(reader, "name", "each function"),
    description: reader.text("description"),
    supportsSynchronization: reader.boolean("supports_synchronization", false),
    ...(config ?? DEFAULTS),
  };
}

function readRuntime(reader: ObjectReader): RuntimePart {
  const timeoutSeconds = reader.number("timeout_seconds", TIMEOUT_SECONDS);
  const memoryMb = reader.number("memory_mb", MEMORY_MB);
  return {
    maxRetries: reader.number("max_retries", RETRIES) ?? DEFAULTS.maxRetries,
    minIntervalMs: Math.round((reader.number("min_interval", MIN_INTERVAL_SECONDS) ?? 0) * 1000),
    timeoutMs: timeoutSeconds === null ? null : timeoutSeconds * 1000,
    memoryBytes: memoryMb === null ? null : memoryMb * MiB,
    scratchBytes: (reader.number("scratch_mb", SCRATCH_MB) ?? 0) * MiB,
    keyrings: reader.has("keyrings") ? reader.texts("keyrings", "manifestKeyringsMax") : null,
  };
}
