/**
 * The tools for hostile text (`tools.ts`), run as a version of Plinth's own in the node runtime: a process serves one tenant, one
 * call after another. A call that hangs ends with its process; the next one starts another. What reads Python is the runner of
 * inline Python, in a process for each call.
 */
import { join } from "node:path";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { escapeText } from "@plinth/core/policy/escape-text.ts";
import type { PackageLoad } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { inlineInRunner, inlineVersion } from "../engine/inline-code.ts";
import { prepareSharedFolder, sharedBaseFolder } from "./jail/image.ts";
import { runnerProgram } from "./jail/runner-program.ts";
import type { CallHandler, CallOutcome, Sandbox, VersionCode } from "./sandbox.ts";
import type { JailTools, ToolName } from "./tools.ts";

/** No branch of a tenant has this name. */
const BRANCH = "";
const PROGRAM = runnerProgram("tools", ["code/index.js"]);
const LOAD: PackageLoad = { functions: ["yaml", "jq", "rego", "mime", "script"] satisfies readonly Exclude<ToolName, "python">[] };
const HANDLER: CallHandler = {
  call: () => Promise.reject(plinthError("EffectDenied", { detail: "Tools cannot call the host." })),
  log: () => undefined,
};

export class NodeTools implements JailTools {
  readonly #sandbox: Pick<Sandbox, "acquire" | "evict">;
  readonly #runtime: Runtime;
  readonly #imageFolder: string | undefined;
  #version: Promise<VersionCode> | undefined;

  constructor(options: { readonly sandbox: Pick<Sandbox, "acquire" | "evict">; readonly runtime: Runtime; readonly imageFolder?: string }) {
    this.#sandbox = options.sandbox;
    this.#runtime = options.runtime;
    this.#imageFolder = options.imageFolder;
  }

  async run(tenant: string, tool: ToolName, input: unknown): Promise<unknown> {
    const version = tool === "python" ? inlineVersion("python") : await this.#prepared();
    const patience = new AbortController();
    const maxMs = limit("actionQueueWaitMsMax");
    const timer = this.#runtime.timer(maxMs, () => patience.abort(plinthError("ExpiredInQueue", { maxMs, reason: "noRunner" })));
    const lease = await this.#sandbox
      .acquire({ tenant, branch: BRANCH, lane: "action", version }, patience.signal)
      .finally(() => timer.cancel());
    let outcome: CallOutcome;
    try {
      outcome = await lease.run(this.#request(version, tool, input), HANDLER, new AbortController().signal);
    } finally {
      lease.release();
    }
    return this.#valueOf(outcome, { tenant, tool });
  }

  #request(version: VersionCode, tool: ToolName, input: unknown): Parameters<Awaited<ReturnType<Sandbox["acquire"]>>["run"]>[0] {
    return {
      version,
      ...(tool === "python"
        ? { ...inlineInRunner(version), argsText: JSON.stringify(input) }
        : { kind: "handler", path: tool, argsText: JSON.stringify([input]) }),
      requestId: `tool-${tool}`,
      seed: "0".repeat(32),
      nowMs: this.#runtime.nowMs(),
      tables: {},
      env: {},
      limits: {
        cpuMs: limit("toolWallMsMax"),
        wallMs: limit("toolWallMsMax"),
        heapBytes: limit("packageMemoryBytes"),
        resultBytes: limit("resultBytesMax"),
        logLines: 0,
        logLineBytes: 0,
        pendingHostCalls: 0,
      },
    };
  }

  async #valueOf(outcome: CallOutcome, { tenant, tool }: { readonly tenant: string; readonly tool: ToolName }): Promise<unknown> {
    switch (outcome.kind) {
      case "ok":
        break;
      case "timeout":
        throw plinthError("FunctionTimeout", { max: `${outcome.maxMs / 1000}s` });
      case "outOfMemory":
        throw outOfMemory();
      case "security":
        throw plinthError("SecurityViolation", { detail: escapeText(outcome.reason, limit("failureMessageCharsMax")) });
      case "cancelled":
        throw plinthError("RunnerLost", { detail: "the tenant's runners were ended" });
      case "lost":
        throw plinthError("RunnerLost", { detail: escapeText(outcome.reason, limit("failureMessageCharsMax")) });
      case "neverResolves":
        throw plinthError("ToolFailed", { tool, detail: "it never ends" });
      case "error":
      case "policy":
      case "invalid":
        throw plinthError("ToolFailed", { tool, detail: escapeText(outcome.message, limit("failureMessageCharsMax")) });
    }
    const answer = readAnswer(outcome.valueText, tool);
    if (answer.kind === "value") return answer.value;
    if (answer.kind === "failed")
      throw plinthError("ToolFailed", { tool, detail: escapeText(answer.message, limit("failureMessageCharsMax")) });
    // Memory that WebAssembly took is not given back.
    await this.#sandbox.evict(tenant, BRANCH);
    throw outOfMemory();
  }

  /** Built at the first use; a failure is tried again at the next. */
  async #prepared(): Promise<VersionCode> {
    this.#version ??= this.#prepare();
    try {
      return await this.#version;
    } catch (error) {
      this.#version = undefined;
      throw error;
    }
  }

  async #prepare(): Promise<VersionCode> {
    const base = this.#imageFolder ?? (await sharedBaseFolder());
    const folder = await prepareSharedFolder({ base, name: "image", key: () => PROGRAM.key(), fill: (into) => PROGRAM.build(into) });
    return {
      digest: "plinth-tools",
      runtime: "node",
      script: async () => JSON.stringify(LOAD),
      sourceMap: async () => null,
      package: {
        folder: async () => ({ path: join(folder, "content"), release: () => undefined }),
        reuse: true,
        memoryBytesMax: limit("packageMemoryBytes"),
        scratchBytes: 0,
      },
    };
  }
}

type Answer =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "outOfMemory" };

/** The text is hostile: a jq program may have taken over the process. */
function readAnswer(text: string, tool: ToolName): Answer {
  scanJsonText(text, { depthMax: limit("jsonDepthMax"), what: `result of ${tool}` });
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === "object" && parsed !== null) {
    if (Object.hasOwn(parsed, "value") && "value" in parsed) return { kind: "value", value: parsed.value };
    if ("failed" in parsed && typeof parsed.failed === "string") return { kind: "failed", message: parsed.failed };
    if ("outOfMemory" in parsed && parsed.outOfMemory === true) return { kind: "outOfMemory" };
  }
  throw plinthError("ToolFailed", { tool, detail: "its answer cannot be read" });
}

function outOfMemory(): Error {
  return plinthError("FunctionOutOfMemory", { max: `${Math.round(limit("packageMemoryBytes") / (1024 * 1024))} MB` });
}
