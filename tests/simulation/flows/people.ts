/** Those who start runs and ask for changes of them: sensibly, too late, twice, or with tokens that they made up. */
import { PlinthError } from "../../../packages/core/src/errors.ts";
import type { FlowEvent } from "../../../packages/core/src/flow/events.ts";
import type { Scope } from "../../../packages/server/src/database/database.ts";
import type { OpenedFlows } from "../../../packages/server/src/flows/open-flows.ts";
import { answerTokens } from "./answer-keys.ts";
import type { RunChecks } from "./run-checks.ts";
import type { SimulatedTime } from "./simulated-time.ts";

/** What a caller may be told besides that he is wrong. */
const EXPECTED: ReadonlySet<string> = new Set(["ShuttingDown", "StoreFailure", "OptimisticConcurrencyControlFailure"]);
const RUNS_MAX = 3;
/** Makes none. */
const SHOWN = answerTokens({ randomBytes: (length) => new Uint8Array(length) });

interface Asked {
  readonly flows: OpenedFlows;
}

/** An event that somebody was told is stored. */
interface Told {
  readonly run: string | null;
  readonly text: string;
  readonly isIt: (event: FlowEvent) => boolean;
}

export class People {
  readonly #time: SimulatedTime;
  readonly #scope: Scope;
  readonly #flow: string;
  readonly #versions: readonly string[];
  readonly #nodes: readonly string[];
  readonly #runs: string[] = [];
  readonly #told: Told[] = [];
  readonly #tokens: string[] = [];
  readonly #promised: string[] = [];
  /** Tokens whose answer was taken. */
  readonly #answered = new Set<string>();
  #count = 0;
  #begun = 0;
  #failure: unknown;

  constructor(options: {
    readonly time: SimulatedTime;
    readonly scope: Scope;
    readonly flow: string;
    readonly versions: readonly string[];
    readonly nodes: readonly string[];
  }) {
    this.#time = options.time;
    this.#scope = options.scope;
    this.#flow = options.flow;
    this.#versions = options.versions;
    this.#nodes = options.nodes;
  }

  /** Starts are counted again: those that were under way are lost. */
  crashed(): void {
    this.#begun = this.#runs.length;
  }

  start({ flows }: Asked): void {
    if (this.#begun >= RUNS_MAX) return;
    this.#begun += 1;
    const name = `r${this.#begun}`;
    const key = this.#time.chance(0.3) ? { idempotencyKey: `key ${this.#time.random.integer(1, 2)}` } : {};
    const request = {
      scope: this.#scope,
      flow: this.#flow,
      input: { name },
      actor: { kind: "key", keyId: "anna", scopes: [] },
      source: "native",
      ...key,
    } as const;
    const begun = this.#time.chance(0.3) ? flows.startAndWait({ ...request, waitMs: 5000 }) : flows.start(request);
    this.#watch("start", begun, ({ id }) => {
      if (!this.#runs.includes(id)) this.#runs.push(id);
      // W1: what was answered when the run waits or has ended is stored, whichever way it was started.
      this.#told.push({ run: id, text: "start", isIt: ({ kind }) => kind === "started" });
    });
  }

  act({ flows }: Asked): void {
    const { random } = this.#time;
    const run = this.#runs.length === 0 ? "nobody" : random.pick(this.#runs);
    const by = `somebody ${(this.#count += 1)}`;
    const reason = by;
    const scope = this.#scope;
    switch (random.integer(0, 16)) {
      case 0:
        this.start({ flows });
        return;
      case 1:
        if (random.integer(1, 3) === 1) this.#ask(run, `cancel by ${by}`, flows.cancel(scope, run, { by, reason }), of("cancelled", by));
        return;
      case 2:
      case 3:
        this.#ask(run, `pause by ${by}`, flows.pause(scope, run, { by, reason }), of("paused", by));
        return;
      case 4:
      case 5:
        this.#ask(run, `resume by ${by}`, flows.resume(scope, run, { by }), of("resumed", by));
        return;
      case 6:
      case 7:
      case 8: {
        const name = random.pick(["go", "stay", "nobody waits"]);
        this.#ask(run, `signal by ${by}`, flows.signal(scope, run, { name, payload: this.#count, by }), of("signalled", by));
        return;
      }
      case 9:
        this.#ask(
          run,
          `retry by ${by}`,
          flows.retry(scope, run, { by, node: random.pick(this.#nodes), mayChoose: true }),
          of("retried", by),
        );
        return;
      case 10:
        this.#watch(
          "forged",
          this.#mustFail(flows.answer(scope, { token: "forged", by, result: { kind: "output", output: by } })),
          () => {},
        );
        return;
      case 11:
        this.#watch("history", flows.history(scope, run, { after: 0, limit: 100 }), () => {});
        return;
      case 12:
        this.#watch("run", flows.run(scope, run), ({ answers }) => this.#tokens.push(...answers.map(({ token }) => String(token))));
        return;
      case 14: {
        const moving = flows.upkeep.move(scope, run, { by, to: random.pick(this.#versions), isDry: false });
        this.#ask(run, `move by ${by}`, moving, of("moved", by));
        return;
      }
      case 13:
        this.#callBack(flows, by);
        return;
      default:
        this.#answer(flows, by);
    }
  }

  /** The outside has been given a token: it may call back at any time, also before its first answer has arrived. */
  promised(token: string): void {
    this.#promised.push(token);
  }

  #callBack(flows: OpenedFlows, by: string): void {
    if (this.#promised.length === 0) return;
    const token = this.#time.random.pick(this.#promised);
    const wasTaken = this.#answered.has(token);
    const result = { kind: "output", output: { late: by } } as const;
    const answered = flows.answerByToken({ token, via: "callback", name: by, result });
    this.#watch(`callback by ${by}`, wasTaken ? this.#mustFail(answered) : answered, () => {
      this.#answered.add(token);
      this.#told.push({ run: null, text: `callback by ${by}`, isIt: (event) => "by" in event && event.by === by });
    });
  }

  #answer(flows: OpenedFlows, by: string): void {
    if (this.#tokens.length === 0) return;
    const token = this.#time.random.pick(this.#tokens);
    const result = this.#time.chance(0.7)
      ? ({ kind: "output", output: { approved: true } } as const)
      : ({ kind: "error", error: { code: "declined", message: "no." } } as const);
    const wasAnswered = this.#answered.has(token);
    const answered = flows.answer(this.#scope, { token, by, result });
    if (wasAnswered) {
      this.#watch("second answer", this.#mustFail(answered), () => {});
      return;
    }
    this.#watch("answer", answered, () => {
      if (this.#answered.has(token)) this.#failure ??= new Error(`a token was answered twice: ${token}`);
      this.#answered.add(token);
      this.#told.push({ run: null, text: `answer by ${by}`, isIt: (event) => "by" in event && event.by === by });
    });
  }

  async #mustFail(asked: Promise<unknown>): Promise<void> {
    let isTaken = false;
    try {
      await asked;
      isTaken = true;
    } finally {
      if (isTaken) this.#failure ??= new Error("an answer was taken that must be refused");
    }
  }

  #ask(run: string, text: string, asked: Promise<unknown>, isIt: Told["isIt"]): void {
    this.#watch(text, asked, () => this.#told.push({ run, text, isIt }));
  }

  #watch<T>(text: string, asked: Promise<T>, whenTold: (value: T) => void): void {
    this.#time.note(`asked: ${text}`);
    asked.then(
      (value) => {
        this.#time.note(`told: ${text}`);
        whenTold(value);
      },
      (error: unknown) => {
        this.#time.note(`refused: ${text}: ${String(error)}`);
        if (!isExpected(error)) this.#failure ??= error;
      },
    );
  }

  /** Does what a run that waits is waiting for. True when there was something. */
  async help({ flows }: Asked, checks: RunChecks | undefined): Promise<boolean> {
    for (const { id, status } of (await checks?.runs()) ?? []) {
      if (status !== "paused") continue;
      this.#ask(id, "help", flows.resume(this.#scope, id, { by: "help" }), of("resumed", "help"));
      return true;
    }
    for (const { id, answers } of (await checks?.runs()) ?? []) {
      const [open] = answers;
      if (open === undefined || this.#time.chance(0.5)) continue;
      const token = String(SHOWN.of({ scope: this.#scope, run: id }, open.seed ?? ""));
      if (!this.#tokens.includes(token)) this.#tokens.push(token);
      this.#answer(flows, `help ${(this.#count += 1)}`);
      return true;
    }
    return false;
  }

  async check(checks: RunChecks): Promise<void> {
    if (this.#failure !== undefined) throw new Error("somebody was told what is not so", { cause: this.#failure });
    for (const { run, text, isIt } of this.#told) {
      const journals = await checks.journals();
      const found = run === null ? [...journals.values()].flat() : (journals.get(run) ?? []);
      if (!found.some(isIt)) throw new Error(`W1 it was told that this is stored, and it is not: ${text} of ${String(run)}`);
    }
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof PlinthError && (error.spec.fault === "caller" || EXPECTED.has(error.code));
}

function of(kind: FlowEvent["kind"], by: string): Told["isIt"] {
  return (event) => event.kind === kind && "by" in event && event.by === by;
}
