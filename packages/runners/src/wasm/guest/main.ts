/**
 * The program in the isolate, the only one: it holds the compiled modules and runs a new instance of one for each call. Modules see
 * the functions of `wasi.ts` and nothing else of it.
 */
import { WASI_MODULE } from "../wasi-functions.ts";
import { CallState, END } from "./call-state.ts";
import { importsOf } from "./wasi.ts";
import type { CallReport, CallSettings, PostLine } from "./wire.ts";

const modules = new Map<string, WebAssembly.Module>();
let postLine: PostLine = () => undefined;

export function enter(op: "install" | "compile" | "call", first: unknown, second: unknown): unknown {
  switch (op) {
    case "install":
      postLine = first as PostLine;
      return undefined;
    case "compile":
      modules.set(first as string, new WebAssembly.Module(second as ArrayBuffer));
      return undefined;
    case "call":
      return run(first as CallSettings, second as ArrayBuffer);
    default:
      return op satisfies never;
  }
}

function run(settings: CallSettings, stdin: ArrayBuffer): CallReport {
  const state = new CallState(settings, { stdin, post: postLine });
  const end = runCommand(state);
  state.lines.flush();
  return {
    end,
    stdout: end.kind === "exit" && end.code === 0 ? state.output.take() : new ArrayBuffer(0),
    lastLine: state.lines.last,
    linesDropped: state.lines.dropped,
    memoryBytes: state.memory?.byteLength ?? 0,
    observedTime: state.observedTime,
    observedRandom: state.observedRandom,
  };
}

function runCommand(state: CallState): CallReport["end"] {
  try {
    const module = modules.get(state.settings.name);
    if (module === undefined) throw new Error("the module was not compiled");
    const { exports } = new WebAssembly.Instance(module, { [WASI_MODULE]: importsOf(state) });
    state.memory = exports.memory;
    exports._start();
    return state.end ?? { kind: "exit", code: 0 };
  } catch (error) {
    if (state.end !== undefined) return state.end;
    if (error === END) throw error;
    return error instanceof Error
      ? { kind: "trap", name: error.name, message: error.message, stack: error.stack ?? "" }
      : { kind: "trap", name: "Error", message: "an exception of the module was not caught", stack: "" };
  }
}
