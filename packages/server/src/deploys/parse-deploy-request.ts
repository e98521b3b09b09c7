/** Reads the hostile body of a deploy. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { DeployRequest } from "./deploys.ts";

export function parseDeployRequest(body: Readonly<Record<string, unknown>>): DeployRequest {
  const { script, sourceMap = null, note, dryRun } = body;
  if (typeof script !== "string" || script === "") throw wrong("script", "the text of the bundled functions");
  if (sourceMap !== null && typeof sourceMap !== "string") throw wrong("sourceMap", "a text or null");
  if (note !== undefined && note !== null && typeof note !== "string") throw wrong("note", "a text");
  if (dryRun !== undefined && dryRun !== null && typeof dryRun !== "boolean") throw wrong("dryRun", "true or false");
  checkBytes("script", script, limit("bundleBytesMax"));
  if (sourceMap !== null) checkBytes("source map", sourceMap, limit("sourceMapBytesMax"));
  if (typeof note === "string") checkBytes("note", note, limit("noteBytesMax"));
  return { script, sourceMap, ...(typeof note === "string" ? { note } : {}), ...(dryRun === true ? { dryRun } : {}) };
}

function checkBytes(what: string, text: string, max: number): void {
  const actual = Buffer.byteLength(text);
  if (actual > max) throw plinthError("RequestTooLarge", { what, actual: `${actual} bytes`, max: `${max} bytes` });
  // A lone surrogate has no UTF-8 form: what is stored would not be what was sent.
  if (!text.isWellFormed()) throw plinthError("BadRequest", { detail: `The ${what} is not well-formed Unicode.` });
}

function wrong(field: string, wanted: string) {
  return plinthError("BadRequest", { detail: `\`${field}\` must be ${wanted}.` });
}
