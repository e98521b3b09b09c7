/**
 * The Node runner: the program inside the jail that runs packages on Node's main thread, one call at a time. It serves one version
 * of one tenant and branch. User code shares the process, so nothing here is a border: the jail around it and the host are.
 *
 * N1 Exactly one outcome leaves for a call, also when its code ends the process or throws where nobody listens.
 * N2 While a call runs nothing of the runner keeps the event loop alive unless the host owes an answer: an empty loop means that
 *    the call can never end.
 * N3 Requests leave as host calls only (`network/`); the process has no socket.
 */
import { join, dirname } from "node:path";
import {
  type HostEnvelope,
  type InvokeEnvelope,
  type AnalyzeResult,
  PROTOCOL_VERSION,
  type RunnerFailure,
  type RunnerFailureKind,
} from "@plinth/core/protocol/runner-protocol.ts";
import { CallSurroundings, setEnvironment } from "./call-surroundings.ts";
import { captureConsole } from "./console-capture.ts";
import { ControlChannel, controlDescriptors } from "./control-channel.ts";
import { HandlerCall } from "./handler-call.ts";
import { HostCallError, installSyscalls } from "./host-calls.ts";
import { installVirtualNetwork } from "./network/install.ts";
import { findCodeFolder, type LoadedPackage, loadPackage, packageFolder, PackageError } from "./package-folder.ts";
import { parsePackageLoad } from "./parse-load.ts";
import { guardProcess } from "./process-guard.ts";
import { resultText, UnsendableResult } from "./result-text.ts";
import { failureOf, plainFailure } from "./thrown.ts";
import { installWorkers } from "./workers.ts";

class Runner {
  readonly #channel: ControlChannel;
  readonly #surroundings = new CallSurroundings();
  readonly #exit = process.exit.bind(process);
  readonly #folder = packageFolder();
  #flushConsole: () => void = () => undefined;
  #version: string | undefined;
  /** The version whose code is being evaluated. */
  #loading: string | undefined;
  #package: LoadedPackage | undefined;
  #codeFolder: string | undefined;
  #call: HandlerCall | undefined;

  constructor() {
    this.#channel = new ControlChannel(controlDescriptors(process.argv), (envelope, body) => this.#receive(envelope, body));
    guardProcess({
      exits: (code) => this.#failAll(plainFailure(`process.exit(${code}) was called.`)),
      throwsUnheard: (thrown) => this.#failUnheard(thrown),
      hides: (handle) => this.#channel.owns(handle),
    });
    // The event loop is empty (N2).
    process.on("beforeExit", () => {
      if (this.#call !== undefined && !this.#call.isWaitingForHost)
        this.#fail("neverResolves", "The promise of the function can never settle.");
    });
  }

  /** What the code of a package finds changed in its process. */
  #prepareForPackage(): void {
    this.#flushConsole = captureConsole((level, text) => this.#call?.log(level, text));
    const hostCall = (op: string, argText: string): Promise<string> =>
      this.#call?.hostCall(op, argText) ?? Promise.reject(new HostCallError("NoCall", "Nothing can be asked of the host outside a call."));
    installSyscalls(hostCall);
    installWorkers(join(dirname(__filename), "worker-preload.js"), hostCall);
    installVirtualNetwork(hostCall);
  }

  #receive(envelope: HostEnvelope, body: Buffer): void {
    switch (envelope.type) {
      case "hello":
        if (envelope.protocol !== PROTOCOL_VERSION)
          throw new Error(`the host speaks protocol ${envelope.protocol}, this runner ${PROTOCOL_VERSION}`);
        this.#channel.send({ type: "ready", protocol: PROTOCOL_VERSION, runtime: "node", engine: `node ${process.version}` });
        // The host has something to do before it asks for the load; what is done now, the first call does not wait for.
        return this.#prepareForPackage();
      case "load":
        return void this.#load(envelope.version, body.toString());
      case "invoke":
        return this.#invoke(envelope, body.toString());
      case "reply":
        if (this.#call?.envelope.call === envelope.call) this.#call.reply(envelope.id, envelope.ok, body);
        return undefined;
      case "cancel":
        return this.#cancel(envelope.call, envelope.reason);
      case "unload":
      case "sourceMap":
        // The folder of a process never changes, and maps lie in it.
        return undefined;
      default:
        return envelope satisfies never;
    }
  }

  async #load(version: string, text: string): Promise<void> {
    try {
      if (this.#version !== undefined && this.#version !== version) throw new PackageError("This process holds another version already.");
      this.#version = version;
      this.#loading = version;
      const load = parsePackageLoad(text);
      setEnvironment(load.env ?? {});
      this.#codeFolder = findCodeFolder(this.#folder);
      process.chdir(this.#codeFolder);
      process.argv = [process.argv[0] ?? "node", join(this.#codeFolder, "package.json")];
      process.execArgv = [];
      this.#package = await loadPackage(this.#codeFolder, load.functions);
      this.#loading = undefined;
      this.#channel.send({ type: "loaded", version });
    } catch (error) {
      this.#failLoad(version, error instanceof PackageError ? plainFailure(error.message) : failureOf(error, this.#codeFolder));
    }
  }

  #failLoad(version: string, failure: RunnerFailure): void {
    this.#loading = undefined;
    this.#channel.send({ type: "loadFailed", version }, Buffer.from(JSON.stringify(failure)));
  }

  /** Ends what runs, a load or a call, with this failure; the process ends too. */
  #failAll(failure: RunnerFailure): void {
    if (this.#loading !== undefined) this.#failLoad(this.#loading, failure);
    this.#end((ending) => ending.fail("error", failure, true));
  }

  #invoke(envelope: InvokeEnvelope, argsText: string): void {
    if (this.#call !== undefined) throw new Error("the host invoked a call while another one runs");
    this.#surroundings.enter(envelope.env);
    this.#call = new HandlerCall(envelope, this.#channel);
    switch (envelope.kind) {
      case "analyze":
        return this.#succeed(this.#analyze());
      case "handler":
        return void this.#run(envelope.path, argsText);
      default:
        return this.#fail("invalid", `A package of Node functions has no function of kind ${envelope.kind}.`);
    }
  }

  async #run(name: string, argsText: string): Promise<void> {
    const call = this.#call;
    try {
      const handler = this.#package?.functions.get(name);
      if (handler === undefined) return this.#fail("error", `The package has no function '${name}'.`);
      const value = await handler(JSON.parse(argsText));
      if (call === this.#call) this.#succeed(value);
    } catch (error) {
      if (call !== this.#call) return;
      this.#end((ending) => ending.fail("error", failureOf(error, this.#codeFolder)));
    }
  }

  #analyze(): AnalyzeResult {
    const names = [...(this.#package?.functions.keys() ?? [])];
    return {
      functions: names.map((path) => ({ path, kind: "handler", visibility: "internal", args: '{"type":"any"}', returns: "null" })),
      schema: null,
      crons: null,
      httpRoutes: [],
    };
  }

  /** The value may run user code while it becomes text. */
  #succeed(value: unknown): void {
    const call = this.#call;
    if (call === undefined) return;
    let text: string;
    try {
      text = resultText(value, call.envelope.limits.resultBytes);
    } catch (error) {
      if (!(error instanceof UnsendableResult)) throw error;
      return this.#fail("error", `${error.name}: ${error.message}`);
    }
    this.#end((ending) => ending.succeed(text));
  }

  #fail(kind: RunnerFailureKind, message: string): void {
    this.#end((ending) => ending.fail(kind, plainFailure(message)));
  }

  /** The one end of a call (N1). */
  #end(send: (call: HandlerCall) => void): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#flushConsole();
    this.#call = undefined;
    send(call);
    this.#surroundings.leave();
  }

  /** Code that is not waited for any more still runs here: the process ends with it. */
  #cancel(number: number, reason: "timeout" | "cancelled"): void {
    if (this.#call?.envelope.call !== number) return;
    if (reason === "timeout") this.#fail("timeout", "");
    else this.#fail("error", "Error: The call was cancelled.");
    this.#exit(0);
  }

  /** An error that no code handles leaves the process in a state that nobody knows. */
  #failUnheard(thrown: unknown): void {
    this.#failAll(failureOf(thrown, this.#codeFolder));
    this.#exit(1);
  }
}

process.title = "plinth-runner";
export const runner = new Runner();
