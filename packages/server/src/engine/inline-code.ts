/**
 * Inline code: code that comes with the call, run in a process of its own. Its path is `$inline/<language>`, its arguments are an
 * InlineRequest. The host looks at sizes and settings only; the code is read in the jail.
 */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { PackageLoad, RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import { checkPayload } from "./check-values.ts";
import { INLINE_JAVASCRIPT, INLINE_MODULE } from "./inline-javascript.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationRequest } from "./invocation.ts";

export interface InlineRequest {
  readonly code: string;
  /** JSON value that the code sees as `inputs`. */
  readonly inputs: unknown;
  readonly timeoutMs: number;
  /** Names of keyrings that the code sees as `keyrings`. */
  readonly keyrings: readonly string[];
  /** Fields of `inputs` that JavaScript sees by their own names too. */
  readonly names: readonly string[];
  /** Whether what it prints becomes log lines too, as it is printed. */
  readonly streams: boolean;
}

/** Packages that inline code may use; see core/flow/bundle.ts. */
export type InlineBundle =
  | {
      readonly language: "javascript";
      readonly digest: string;
      readonly script: () => Promise<string>;
    }
  | {
      readonly language: "python";
      readonly digest: string;
      /** Names that the code may import. */
      readonly modules: readonly string[];
      readonly folder: () => Promise<{ readonly path: string; release(): void }>;
    };

export interface InlineBundles {
  find(scope: Scope, digest: string): Promise<InlineBundle | undefined>;
}

const PREFIX = "$inline/";

/** Languages of inline code and what runs them. */
const LANGUAGES: Readonly<Record<string, RuntimeName>> = { python: "python", javascript: "isolate" };

export const INLINE_LANGUAGES: readonly string[] = Object.keys(LANGUAGES);

export function isInlinePath(path: string): boolean {
  return path.startsWith(PREFIX);
}

export function inlinePath(language: string): string {
  return `${PREFIX}${language}`;
}

/** Accepts a call of inline code. What is wrong with it is InvalidCode: the validation error of the code, exit code 4. */
export function inlineCall(
  request: InvocationRequest,
  bundle?: InlineBundle,
): Pick<AcceptedCall, "kind" | "lane" | "path" | "version" | "inline" | "argsText"> {
  if (!request.internalAllowed) throw plinthError("FunctionNotFound", { path: PREFIX });
  const language = request.path.slice(PREFIX.length);
  const runtime = Object.hasOwn(LANGUAGES, language) ? LANGUAGES[language] : undefined;
  if (runtime === undefined)
    throw plinthError("InvalidCode", {
      detail: `There is no language '${language.slice(0, 32)}'; there are ${INLINE_LANGUAGES.join(" and ")}.`,
    });
  checkPayload(request.argsText);
  return {
    kind: "inline",
    lane: "action",
    path: inlinePath(language),
    version: bundle === undefined ? inlineVersion(runtime) : versionWith(bundle, language),
    inline: parseInline(JSON.parse(request.argsText)),
    argsText: request.argsText,
  };
}

/** Inline code belongs to no version: any process of the runtime can run it, once. In an isolate it has a context of its own. */
export function inlineVersion(runtime: RuntimeName): VersionCode {
  if (runtime === "isolate") return INLINE_ISOLATE;
  return {
    digest: `inline-${runtime}`,
    runtime,
    script: () => Promise.resolve('{"functions":[]}'),
    sourceMap: () => Promise.resolve(null),
    package: { folder: null, reuse: false, memoryBytesMax: limit("inlineMemoryBytesMax"), scratchBytes: 0 },
  };
}

/** With packages it is a version like those of functions and packages: loaded once, and kept ready for the calls to come. */
function versionWith(bundle: InlineBundle, language: string): VersionCode {
  if (bundle.language !== language)
    throw plinthError("InvalidCode", { detail: `Its packages are for ${bundle.language}, and the code is ${language}.` });
  const digest = `inline-${bundle.digest}`;
  const sourceMap = () => Promise.resolve(null);
  if (bundle.language === "javascript") return { digest, script: async () => `${await bundle.script()}\n;${INLINE_JAVASCRIPT}`, sourceMap };
  const load: PackageLoad = { functions: [], modules: bundle.modules };
  return {
    digest,
    runtime: "python",
    script: () => Promise.resolve(JSON.stringify(load)),
    sourceMap,
    package: { folder: bundle.folder, reuse: false, memoryBytesMax: limit("inlineMemoryBytesMax"), scratchBytes: 0 },
  };
}

const INLINE_ISOLATE: VersionCode = {
  digest: "inline-isolate",
  script: () => Promise.resolve(INLINE_JAVASCRIPT),
  sourceMap: () => Promise.resolve(null),
};

/** How the runner of inline code knows it: the isolate runs it as an action, whose host calls are refused like those of all inline code. */
export function inlineInRunner({ runtime = "isolate" }: Pick<VersionCode, "runtime">): {
  readonly kind: "action" | "inline";
  readonly path: string;
} {
  return runtime === "isolate" ? { kind: "action", path: `${INLINE_MODULE}:default` } : { kind: "inline", path: "" };
}

function parseInline(json: unknown): InlineRequest {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalid("The request is one object with `code`.");
  const fields = new Map<string, unknown>(Object.entries(json));
  const code = fields.get("code");
  if (typeof code !== "string") throw invalid("`code` is a text.");
  const codeBytesMax = limit("inlineCodeBytesMax");
  if (Buffer.byteLength(code) > codeBytesMax) throw invalid(`The code has more than ${codeBytesMax} bytes.`);
  const timeoutMs = fields.get("timeoutMs") ?? limit("inlineWallMs");
  const timeoutMsMax = limit("inlineWallMsMax");
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 1 && timeoutMs <= timeoutMsMax))
    throw invalid(`\`timeoutMs\` is a number from 1 to ${timeoutMsMax}.`);
  return {
    code,
    inputs: fields.get("inputs") ?? {},
    timeoutMs,
    keyrings: parseNames(fields.get("keyrings") ?? [], "keyrings"),
    names: parseNames(fields.get("names") ?? [], "names"),
    streams: fields.get("streams") === true,
  };
}

function parseNames(value: unknown, field: string): readonly string[] {
  if (!Array.isArray(value) || value.length > limit("inlineKeyringsMax")) throw invalid(`\`${field}\` is a short list of names.`);
  return value.map((name: unknown) => {
    if (typeof name !== "string") throw invalid(`\`${field}\` is a list of names.`);
    return name;
  });
}

function invalid(detail: string) {
  return plinthError("InvalidCode", { detail });
}
