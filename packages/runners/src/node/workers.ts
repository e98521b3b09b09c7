/**
 * Worker threads of the package. Each starts with a program that gives it the same network, and asks the host through the main
 * thread, which alone speaks the protocol.
 */
import { syncBuiltinESMExports } from "node:module";
import workerThreads, { BroadcastChannel, threadId, type WorkerOptions } from "node:worker_threads";
import { HostCallError, type HostCaller } from "./host-calls.ts";

const CHANNEL = "plinth:host-calls";

/** Room for the code of a thread; a large package's takes a third of it. */
const CODE_MIB = 48;

/** Worker → main thread. */
interface WorkerRequest {
  readonly asks: true;
  readonly thread: number;
  readonly id: number;
  readonly op: string;
  readonly argText: string;
}

/** Main thread → worker. */
interface WorkerReply {
  readonly asks: false;
  readonly thread: number;
  readonly id: number;
  readonly ok: boolean;
  /** The answer, or the message of the refusal. */
  readonly text: string;
  readonly code: string;
}

type WorkerMessage = WorkerRequest | WorkerReply;

/** Gives every worker that this thread starts the preload file; in the main thread, `hostCall` answers what workers ask. */
export function installWorkers(preloadFile: string, hostCall?: HostCaller): void {
  const Original = workerThreads.Worker;
  let relay: BroadcastChannel | undefined;
  class Worker extends Original {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      if (hostCall !== undefined) relay ??= answerWorkers(hostCall);
      // The engine reserves room for the code of each thread, half a gigabyte unless told otherwise, and the jail counts it.
      const resourceLimits = { codeRangeSizeMb: CODE_MIB, ...options.resourceLimits };
      super(file, { ...options, resourceLimits, execArgv: ["--require", preloadFile, ...(options.execArgv ?? [])] });
    }
  }
  workerThreads.Worker = Worker as typeof Original;
  syncBuiltinESMExports();
}

function answerWorkers(hostCall: HostCaller): BroadcastChannel {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: unknown) => {
    const message = messageOf(event);
    if (message?.asks !== true) return;
    const { thread, id } = message;
    const reply = (ok: boolean, text: string, code: string): void =>
      channel.postMessage({ asks: false, thread, id, ok, text, code } satisfies WorkerReply);
    hostCall(message.op, message.argText).then(
      (text) => reply(true, text, ""),
      (error: unknown) =>
        reply(false, error instanceof Error ? error.message : "failed", error instanceof HostCallError ? error.code : "Internal"),
    );
  };
  channel.unref();
  return channel;
}

/** In a worker: asks through the main thread. */
export function relayHostCalls(): HostCaller {
  const pending = new Map<number, { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void }>();
  let nextId = 0;
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: unknown) => {
    const message = messageOf(event);
    if (message === undefined || message.asks || message.thread !== threadId) return;
    const asked = pending.get(message.id);
    if (asked === undefined) return;
    pending.delete(message.id);
    if (pending.size === 0) channel.unref();
    if (message.ok) asked.resolve(message.text);
    else asked.reject(new HostCallError(message.code, message.text));
  };
  channel.unref();
  return (op, argText) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      pending.set(id, { resolve, reject });
      // A worker waits for the answer; it ends when nothing is left to wait for.
      channel.ref();
      channel.postMessage({ asks: true, thread: threadId, id, op, argText } satisfies WorkerRequest);
    });
}

/** Other code of the package may speak on a channel of this name too; what is not ours is ignored. */
function messageOf(event: unknown): WorkerMessage | undefined {
  const data = (event as { readonly data?: unknown }).data as Partial<WorkerMessage> | null | undefined;
  if (typeof data !== "object" || data === null || typeof data.thread !== "number" || typeof data.id !== "number") return undefined;
  return data as WorkerMessage;
}
