/**
 * The WASM runner: the program inside the jail that runs commands of WASI preview 1. The event is their standard input, the result
 * their standard output. It serves one version of one tenant and branch.
 *
 * W1 A module runs in an isolate and reaches nothing but `guest/wasi.ts`, which has no system behind it.
 * W2 Every call is a new instance: nothing survives from one call to the next.
 * W3 A module's memory has a maximum that the engine enforces, its time one that ends the isolate.
 * W4 Exactly one outcome leaves for a call. Calls run one after the other.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { guestSource } from "plinth:guest-source";
import { limit } from "@plinth/core/limits.ts";
import { type AnalyzeResult, type HostEnvelope, type InvokeEnvelope, PROTOCOL_VERSION } from "@plinth/core/protocol/runner-protocol.ts";
import { type Addon, loadAddon } from "../isolate/addon.ts";
import { ControlChannel, controlDescriptors } from "../node/control-channel.ts";
import { PackageError } from "../node/package-folder.ts";
import { parsePackageLoad } from "../node/parse-load.ts";
import { lineText, outcomeOf } from "./call-outcome.ts";
import { CommandCall, NOTHING_OBSERVED } from "./command-call.ts";
import { parseEvent } from "./parse-event.ts";
import { type CallEnd, ModuleIsolate } from "./module-isolate.ts";
import { PAGE_BYTES } from "./module-reader.ts";
import { packageFolder, readModules } from "./package-modules.ts";

/** Of the memory of a process, what a module's own may take, and the engine's heap. The rest is code, the event and the result. */
const MODULE_PART = 0.5;
const HEAP_PART = 0.25;

class Runner {
  readonly #addon: Addon;
  readonly #channel: ControlChannel;
  readonly #calls = new Map<number, CommandCall>();
  #memoryBytes = 0;
  #version: string | undefined;
  #modules: ReadonlyMap<string, Uint8Array> = new Map();
  #isolate: ModuleIsolate | undefined;
  #running: CommandCall | undefined;
  /** Loads and calls, one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#channel = new ControlChannel(controlDescriptors(process.argv), (envelope, body) => this.#receive(envelope, body));
  }

  #receive(envelope: HostEnvelope, body: Buffer): void {
    switch (envelope.type) {
      case "hello":
        return this.#hello(envelope);
      case "load":
        return this.#next(() => this.#load(envelope.version, body.toString()));
      case "invoke":
        return this.#invoke(envelope, body);
      case "cancel":
        return this.#cancel(envelope.call, envelope.reason);
      case "reply":
      case "unload":
      case "sourceMap":
        // Modules ask nothing of the host, the folder of a process never changes, and there are no maps.
        return undefined;
      default:
        return envelope satisfies never;
    }
  }

  #hello(hello: Extract<HostEnvelope, { type: "hello" }>): void {
    if (hello.protocol !== PROTOCOL_VERSION) throw new Error(`the host speaks protocol ${hello.protocol}, this runner ${PROTOCOL_VERSION}`);
    this.#memoryBytes = hello.heapBytes;
    this.#channel.send({ type: "ready", protocol: PROTOCOL_VERSION, runtime: "wasm", engine: `v8 ${process.versions.v8}` });
  }

  #next(job: () => Promise<void>): void {
    this.#turn = this.#turn.then(job);
  }

  async #load(version: string, text: string): Promise<void> {
    try {
      if (this.#version !== undefined && this.#version !== version) throw new PackageError("This process holds another version already.");
      const { functions } = parsePackageLoad(text);
      this.#modules = readModules(packageFolder(), functions, Math.floor((this.#memoryBytes * MODULE_PART) / PAGE_BYTES));
      this.#isolate = await this.#makeIsolate();
      this.#version = version;
      this.#channel.send({ type: "loaded", version });
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      const message = error.message.slice(0, limit("failureMessageCharsMax"));
      this.#channel.send({ type: "loadFailed", version }, Buffer.from(JSON.stringify({ message })));
    }
  }

  /** An isolate in which every module is compiled. */
  async #makeIsolate(): Promise<ModuleIsolate> {
    const isolate = new ModuleIsolate({
      addon: this.#addon,
      heapBytes: this.#memoryBytes * HEAP_PART,
      guestSource,
      post: (call, line, truncated) => this.#calls.get(call)?.log(lineText(line), truncated),
    });
    for (const [name, bytes] of this.#modules) {
      try {
        await isolate.compile(name, bytes, limit("wasmCompileMsMax"));
      } catch (error) {
        isolate.dispose();
        throw new PackageError(`The module code/${name}.wasm cannot be compiled: ${error instanceof Error ? error.message : ""}`);
      }
    }
    return isolate;
  }

  #invoke(envelope: InvokeEnvelope, body: Buffer): void {
    const call = new CommandCall(envelope, this.#channel);
    if (envelope.kind === "analyze") return call.succeed(JSON.stringify(this.#analyze()), NOTHING_OBSERVED);
    if (envelope.kind !== "handler")
      return call.fail("invalid", { message: `A package of WebAssembly modules has no function of kind ${envelope.kind}.` });
    if (!this.#modules.has(envelope.path)) return call.fail("error", { message: `The package has no function '${envelope.path}'.` });
    this.#calls.set(envelope.call, call);
    this.#next(async () => {
      await this.#run(call, body);
      this.#calls.delete(envelope.call);
    });
  }

  async #run(call: CommandCall, body: Buffer): Promise<void> {
    if (call.hasEnded) return;
    const isolate = this.#isolate === undefined || this.#isolate.isDisposed ? await this.#makeIsolate() : this.#isolate;
    this.#isolate = isolate;
    // It may have been cancelled while the modules were compiled.
    if (call.hasEnded) return;
    this.#running = call;
    const { envelope } = call;
    const { cpuMs, wallMs, resultBytes, logLines, logLineBytes } = envelope.limits;
    const end = await isolate.call(
      {
        call: envelope.call,
        name: envelope.path,
        env: Object.entries(envelope.env).map(([name, value]) => `${name}=${value}`),
        nowMs: envelope.nowMs,
        randomKey: randomKey(envelope.seed),
        resultBytes,
        logLines,
        logLineBytes,
        pollSubscriptionsMax: limit("wasmPollSubscriptionsMax"),
      },
      parseEvent(body),
      Math.min(cpuMs, wallMs),
    );
    this.#running = undefined;
    this.#finish(call, end, isolate);
  }

  #finish(call: CommandCall, end: CallEnd, isolate: ModuleIsolate): void {
    switch (end.kind) {
      case "report": {
        const { report } = end;
        const { observedTime, observedRandom, memoryBytes } = report;
        const use = { heapBytes: memoryBytes + isolate.heapBytes(), observedTime, observedRandom };
        const outcome = outcomeOf(report, call.envelope.limits.resultBytes);
        call.logDropped(report.linesDropped);
        if (outcome.kind === "result") call.succeed(outcome.text, use);
        else if (outcome.kind === "outOfMemory") call.fail("outOfMemory", { message: "" }, use);
        else call.fail("error", outcome.failure, use);
        return isolate.tidyAfter(memoryBytes);
      }
      case "timeout":
      case "outOfMemory":
        return call.fail(end.kind, { message: "" });
      case "disposed":
        // Whoever disposed of it said why.
        return call.fail("lost", { message: "The call was ended." });
      default:
        return end satisfies never;
    }
  }

  #analyze(): AnalyzeResult {
    return {
      functions: [...this.#modules.keys()].map((path) => ({
        path,
        kind: "handler",
        visibility: "internal",
        args: '{"type":"any"}',
        returns: "null",
      })),
      schema: null,
      crons: null,
      httpRoutes: [],
    };
  }

  #cancel(number: number, reason: "timeout" | "cancelled"): void {
    const call = this.#calls.get(number);
    if (call === undefined) return;
    if (reason === "timeout") call.fail("timeout", { message: "" });
    else call.fail("error", { message: "Error: The call was cancelled." });
    if (call === this.#running) this.#isolate?.dispose();
  }
}

/** The key of a call's random numbers. The seed is the host's, from its own source of randomness, and nobody else's. */
function randomKey(seed: string): string {
  return createHash("sha256").update(`plinth wasm random ${seed}`).digest("hex");
}

/** The addon lies beside the runner in the image. */
function addonFile(): string {
  return join(dirname(process.argv[1] ?? ""), "isolated-vm.node");
}

process.title = "plinth-runner";
export const runner = new Runner(loadAddon(addonFile()));
