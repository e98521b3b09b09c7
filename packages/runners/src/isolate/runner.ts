/**
 * The isolate runner: the program inside the jail. It serves one tenant, speaks the runner protocol on
 * fd 3, and has nothing else: no network, no files but its own, no secrets. It is not trusted by the
 * host; its own order serves the calls of its tenant, not the safety of others.
 */
import { setFlagsFromString } from "node:v8";
import { dirname, join } from "node:path";
import { guestSource } from "plinth:guest-source";
import { type HostEnvelope, type InvokeEnvelope, PROTOCOL_VERSION } from "@plinth/core/protocol/runner-protocol.ts";
import { controlDescriptors } from "../node/control-channel.ts";
import { type Addon, loadAddon } from "./addon.ts";
import { Call } from "./call.ts";
import { collectOwnGarbage } from "./garbage.ts";
import { makeGuestCode } from "./guest-code.ts";
import { HostConnection } from "./host-connection.ts";
import { IsolatePool } from "./isolate-pool.ts";
import type { IsolateSlot } from "./isolate-slot.ts";
import { Pace, paceName } from "./pace.ts";
import { contextKey, ReadyContexts } from "./ready-contexts.ts";
import type { RunnerServices } from "./services.ts";
import { VersionStore } from "./version-store.ts";

const WATCH_MS = 100;
/** Without calls for so long, the runner gives memory back. The calls that come next pay a quarter of a millisecond for it. */
const REST_MS = 2000;
const SEMI_SPACE_MIB = 16;

class Runner {
  readonly #addon: Addon;
  readonly #connection: HostConnection;
  readonly #contexts = new ReadyContexts();
  readonly #calls = new Map<number, Call>();
  readonly #services: RunnerServices;
  #pool: IsolatePool | undefined;
  /** When the runner may rest; it rests already when there is no such time. */
  #restAtMs: number | undefined;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#connection = new HostConnection(controlDescriptors(process.argv), (envelope, body) => this.#receive(envelope, body));
    this.#services = {
      connection: this.#connection,
      versions: new VersionStore((version) => this.#connection.send({ type: "needSourceMap", version })),
      pace: new Pace(),
      contexts: this.#contexts,
      hasRoomToKeep: (slot) => this.#pools().hasRoomToKeep(slot),
      ended: (call) => this.#ended(call),
      loseAll: (slot) => this.#loseAll(slot),
    };
    setInterval(() => this.#watch(), WATCH_MS).unref();
  }

  #receive(envelope: HostEnvelope, body: Buffer): void {
    switch (envelope.type) {
      case "hello":
        return this.#hello(envelope);
      case "load":
        return this.#load(envelope.version, body.toString());
      case "unload":
        this.#services.versions.remove(envelope.version);
        this.#contexts.forget(envelope.version);
        return this.#pool?.forget(envelope.version);
      case "sourceMap":
        return this.#services.versions.setSourceMap(envelope.version, body.toString());
      case "invoke":
        return this.#invoke(envelope, body.toString());
      case "reply":
        return this.#calls.get(envelope.call)?.reply(envelope.id, envelope.ok, body.toString());
      case "cancel":
        return this.#calls.get(envelope.call)?.cancel(envelope.reason);
      default:
        return envelope satisfies never;
    }
  }

  #hello(hello: Extract<HostEnvelope, { type: "hello" }>): void {
    if (hello.protocol !== PROTOCOL_VERSION) throw new Error(`the host speaks protocol ${hello.protocol}, this runner ${PROTOCOL_VERSION}`);
    setYoungGeneration();
    const guest = makeGuestCode(this.#addon, guestSource);
    const pool = new IsolatePool({
      addon: this.#addon,
      guest,
      heapBytes: hello.heapBytes,
      youngBytes: 2 * SEMI_SPACE_MIB * 1024 * 1024,
      isolates: hello.isolates,
    });
    pool.warm();
    this.#pool = pool;
    this.#connection.send({ type: "ready", protocol: PROTOCOL_VERSION, runtime: "isolate", engine: `v8 ${process.versions.v8}` });
  }

  #load(digest: string, script: string): void {
    const slot = this.#pools().choose({ digest, contextKey: "", quick: false });
    slot.compile(digest, script).then(
      () => {
        this.#services.versions.add({ digest, script });
        this.#connection.send({ type: "loaded", version: digest });
      },
      (error: unknown) => {
        const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        this.#connection.send({ type: "loadFailed", version: digest }, Buffer.from(JSON.stringify({ message: message.slice(0, 4096) })));
      },
    );
  }

  #invoke(envelope: InvokeEnvelope, argsText: string): void {
    const version = this.#services.versions.get(envelope.version);
    if (version === undefined) throw new Error(`the host invoked version ${envelope.version}, which is not loaded`);
    const quick = this.#services.pace.isQuick(paceName(envelope));
    const shared = envelope.contextOf === undefined ? {} : { sharedKey: envelope.contextOf.key };
    const slot = this.#pools().choose({ digest: version.digest, contextKey: contextKey(envelope), quick, ...shared });
    const call = new Call({ envelope, argsText, version, slot, quick, services: this.#services });
    this.#calls.set(call.number, call);
    call.begin();
  }

  #pools(): IsolatePool {
    if (this.#pool === undefined) throw new Error("the host did not say hello");
    return this.#pool;
  }

  #ended(call: Call): void {
    this.#calls.delete(call.number);
    this.#pools().settle(call.slot);
    this.#restAtMs = performance.now() + REST_MS;
    // After the outcome has left.
    setImmediate(() => this.#tidyAfter(call));
  }

  #tidyAfter(call: Call): void {
    call.slot.collectGarbage();
    if (this.#calls.size === 0 && !call.slot.condemned && this.#services.pace.isQuick(paceName(call.envelope)))
      this.#contexts.makeAhead(call);
  }

  #loseAll(slot: IsolateSlot): void {
    for (const call of this.#calls.values()) if (call.slot === slot) call.lose();
  }

  #watch(): void {
    const nowMs = performance.now();
    this.#pool?.expire(nowMs);
    // The host ends a call that takes too long; this is for hosts that do not, as in development.
    for (const call of this.#calls.values()) if (nowMs - call.startMs > call.envelope.limits.wallMs) call.cancel("timeout");
    if (this.#calls.size > 0 || this.#restAtMs === undefined || nowMs < this.#restAtMs) return;
    this.#restAtMs = undefined;
    this.#pools().rest();
    collectOwnGarbage();
  }
}

/**
 * Sizes the young generation of the isolates to come. It should hold many contexts: those that are dead at
 * a collection cost nothing, and a call leaves 0.4 MiB behind. Against the engine's choice of 1 MiB this
 * saves a sixth of a call's processor time.
 */
function setYoungGeneration(): void {
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MIB}`);
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MIB}`);
}

/** The addon lies beside the runner in the image; `PLINTH_ISOLATED_VM` names another place in development. */
function addonFile(): string {
  return process.env["PLINTH_ISOLATED_VM"] ?? join(dirname(process.argv[1] ?? ""), "isolated-vm.node");
}

// Two runs of a function must not differ by the machine's place.
process.env["TZ"] = "UTC";
// Helper threads cost more here than they save. The flag may change while the collector is at rest.
setFlagsFromString("--no-parallel-scavenge");
process.title = "plinth-runner";
export const runner = new Runner(loadAddon(addonFile()));
