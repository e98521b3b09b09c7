/** Everything that is asked of an uploaded archive before it may become a version; nothing is stored here. */
import { plinthError } from "@plinth/core/errors.ts";
import { checkFunctions } from "@plinth/core/manifest/check-functions.ts";
import type { Manifest, ManifestFinding } from "@plinth/core/manifest/manifest.ts";
import type { AnalyzeResult } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { versionCodeOf } from "./handlers.ts";
import type { PackageVersionRow } from "./package-records.ts";
import { readPackage, refusedFindings } from "./read-package.ts";
import type { Stopwatch } from "../runtime/stopwatch.ts";
import type { FolderLease, VersionFolders } from "./version-folders.ts";

export interface Candidate {
  readonly row: Omit<PackageVersionRow, "manifestBlob" | "filesBlob">;
  readonly manifest: Manifest;
  readonly manifestText: string;
  /** Warnings. */
  readonly findings: readonly ManifestFinding[];
}

interface CandidateParts {
  readonly tools: JailTools;
  readonly sandbox: Pick<Sandbox, "analyze">;
  readonly folders: VersionFolders;
  readonly runtime: Runtime;
}

/** Rejects with InvalidPackage, or with what ended the analysis. */
export async function checkCandidate(
  parts: CandidateParts,
  given: {
    readonly scope: Scope;
    readonly digest: string;
    readonly archiveBytes: number;
    readonly folder: FolderLease;
    readonly watch: Stopwatch;
    readonly progress: ((text: string) => void) | undefined;
  },
): Promise<Candidate> {
  const { scope, digest, archiveBytes, folder, watch, progress } = given;
  progress?.("Reading the manifest");
  const read = await watch.measure("manifestMs", () => readPackage(parts.tools, scope.tenant, folder));
  const { manifest, manifestText, root, runtime } = read;
  const functions = manifest.functions.map(({ name }) => name);
  const row = { digest, createdMs: parts.runtime.nowMs(), runtime, root, functions, archiveBytes, files: folder.files };
  progress?.(`Analysing the code in a jail (${runtime})`);
  const version = versionCodeOf(parts.folders, scope.tenant, { row, manifest });
  const analysis = await watch.measure("analyzeMs", () => parts.sandbox.analyze({ tenant: scope.tenant, version, env: {} }));
  const findings = checkFunctions(manifest, handlersOf(analysis), read.lines);
  if (findings.some(({ severity }) => severity === "error")) throw refusedFindings(findings);
  return { row, manifest, manifestText, findings: [...read.findings, ...findings] };
}

function handlersOf(analysis: AnalyzeResult): readonly string[] {
  for (const { path, kind } of analysis.functions) {
    if (kind !== "handler") throw plinthError("InvalidPackage", { detail: `'${String(path).slice(0, 200)}' is no handler.` });
  }
  return analysis.functions.map(({ path }) => path);
}
