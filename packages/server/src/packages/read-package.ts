/**
 * Reads what an unpacked archive is: where its manifest lies, what it declares, which runtime its code is for. The files are
 * hostile; the manifest's text is parsed in a jail.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Manifest, ManifestFinding } from "@plinth/core/manifest/manifest.ts";
import { parseManifest } from "@plinth/core/manifest/parse-manifest.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { checkPolicies } from "./check-policies.ts";
import { readFileList, type ListedFile } from "./file-list.ts";
import { parseYamlResult } from "./parse-yaml-result.ts";
import type { FolderLease } from "./version-folders.ts";

const decompress = promisify(zstdDecompress);
const UTF_8 = new TextDecoder("utf-8", { fatal: true });
const MANIFEST_NAMES: readonly string[] = ["manifest.yaml", "manifest.yml"];

export interface ReadPackage {
  /** Folder of the archive that holds the manifest; empty for the top. */
  readonly root: string;
  readonly manifest: Manifest;
  readonly manifestText: string;
  /** Lines of the manifest by path; hostile. */
  readonly lines: unknown;
  /** Warnings. */
  readonly findings: readonly ManifestFinding[];
  readonly runtime: RuntimeName;
}

/** Rejects with InvalidPackage, which lists every error that was found. */
export async function readPackage(tools: JailTools, tenant: string, folder: FolderLease): Promise<ReadPackage> {
  const files = readFileList((await decompress(await readFile(folder.fileListPath))).toString("utf8"));
  const { root, file } = findManifest(files);
  const manifestText = await readManifestText(join(folder.path, file.path), file.bytes);
  const source = parseYamlResult(await tools.run(tenant, "yaml", { text: manifestText }));
  if (source.findings.some(({ severity }) => severity === "error")) throw refusedFindings(source.findings);
  const { manifest, findings } = parseManifest(source.json, source.lines);
  if (manifest === null) throw refusedFindings([...source.findings, ...findings]);
  const ofPolicies = await checkPolicies(tools, tenant, { manifest, lines: source.lines });
  const all = [...source.findings, ...findings, ...ofPolicies];
  if (ofPolicies.some(({ severity }) => severity === "error")) throw refusedFindings(all);
  const runtime = runtimeOf(manifest, files, root);
  return { root, manifest, manifestText, lines: source.lines, findings: all, runtime };
}

/** InvalidPackage with the errors among the findings. */
export function refusedFindings(findings: readonly ManifestFinding[]): PlinthError {
  const errors = findings.filter(({ severity }) => severity === "error");
  const lines = errors.map(({ line, path, message }) => `  manifest.yaml:${line}${path === "" ? "" : ` ${path}`}: ${message}`);
  return plinthError("InvalidPackage", { detail: `its manifest has ${errors.length === 1 ? "an error" : "errors"}.\n${lines.join("\n")}` });
}

/** At the top of the archive, or in its only folder that has one. */
function findManifest(files: readonly ListedFile[]): { readonly root: string; readonly file: ListedFile } {
  const found = files.filter(({ path }) => {
    const parts = path.split("/");
    return parts.length <= 2 && MANIFEST_NAMES.includes(parts.at(-1) ?? "");
  });
  const top = found.filter(({ path }) => !path.includes("/"));
  const candidates = top.length > 0 ? top : found;
  const [file, other] = candidates;
  if (file === undefined)
    throw plinthError("InvalidPackage", { detail: "the archive has no manifest.yaml, neither at its top nor one folder below it." });
  if (other !== undefined)
    throw plinthError("InvalidPackage", { detail: `the archive has several manifests: ${file.path} and ${other.path}; keep one.` });
  const slash = file.path.indexOf("/");
  return { root: slash === -1 ? "" : file.path.slice(0, slash), file };
}

async function readManifestText(path: string, bytes: number): Promise<string> {
  const max = limit("manifestBytesMax");
  if (bytes > max) throw plinthError("InvalidPackage", { detail: `its manifest has ${bytes} bytes and may have ${max}.` });
  try {
    return UTF_8.decode(await readFile(path));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw plinthError("InvalidPackage", { detail: "its manifest is not UTF-8." });
  }
}

function runtimeOf(manifest: Manifest, files: readonly ListedFile[], root: string): RuntimeName {
  if (manifest.plinth.runtime !== "auto") return manifest.plinth.runtime;
  const prefix = root === "" ? "" : `${root}/`;
  const own = files.flatMap(({ path }) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  if (own.some((path) => path === "code/package.json" || path === "package.json")) return "node";
  if (own.some((path) => /^code\/.+\.py$/.test(path))) return "python";
  if (own.some((path) => /^code\/.+\.wasm$/.test(path))) return "wasm";
  // What the build of a Node package leaves may be its output alone.
  if (own.some((path) => /^(?:code\/)?dist\/.+\.js$/.test(path))) return "node";
  throw plinthError("InvalidPackage", {
    detail: "the archive has no code: neither `code/package.json`, nor `*.py` or `*.wasm` below `code`.",
  });
}
