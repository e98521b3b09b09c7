/** What is recorded: flows and what happens to their runs. Scenarios are added at the end; those that are recorded do not change. */
import type { FlowValue } from "../../../packages/core/src/flow/value.ts";
import type { Json, JsonObject } from "../../../packages/core/src/operations/operation.ts";

/** One thing that happens. `on` names a node; of several open steps of one node, the first. */
export type Act =
  | { readonly do: "complete"; readonly on: string; readonly output?: Json; readonly stored?: FlowValue["stored"]; readonly by?: string }
  | { readonly do: "fail"; readonly on: string; readonly code?: string; readonly retryable?: boolean; readonly retryAfterMs?: number }
  | { readonly do: "defer"; readonly on: string; readonly forMs?: number; readonly child?: string }
  /** The timer of a step, or the run's own. */
  | { readonly do: "fire"; readonly on: string }
  | { readonly do: "signal"; readonly name: string; readonly payload?: Json }
  | { readonly do: "pause" | "resume" | "cancel" | "continue" }
  | { readonly do: "retry"; readonly on: string; readonly input?: Json; readonly request?: string }
  | { readonly do: "move"; readonly nodes: JsonObject };

export interface Scenario {
  readonly name: string;
  readonly flow: JsonObject;
  readonly trigger?: Json;
  readonly acts: readonly Act[];
}

const action = (operation: string, more: JsonObject = {}, input: JsonObject = {}): JsonObject => ({
  type: "action",
  data: { operation, input },
  ...more,
});
const undo = (operation: string, input: JsonObject = {}): JsonObject => ({ type: "action", data: { operation, input } });
const flow = (start: string, nodes: JsonObject, more: JsonObject = {}): JsonObject => ({ start, nodes, ...more });

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "decision-and-assignment",
    trigger: { seats: 12 },
    flow: flow(
      "tier",
      {
        tier: { type: "decision", data: { when: "trigger.seats <= 10", else: "large" }, next: "small" },
        large: { type: "assignment", data: { values: { each: 8 } }, next: "price" },
        small: { type: "set_variable", data: { values: { each: 10 } }, next: "price" },
        price: { type: "script", data: { code: "return 1;", input: { n: "=trigger.seats * vars.each" } }, next: "give" },
        give: { type: "return", data: { output: "=steps.price.output" } },
      },
      { variables: { each: { type: "number", initial: 0 } } },
    ),
    acts: [{ do: "complete", on: "price", output: 96 }],
  },
  {
    name: "router-and-calls-of-each-kind",
    trigger: { kind: "b" },
    flow: flow("way", {
      way: {
        type: "router",
        data: {
          cases: [
            { name: "a", when: "trigger.kind == 'a'" },
            { name: "b", when: "trigger.kind == 'b'", to: "look" },
          ],
        },
        next: "look",
      },
      look: { type: "lookup", data: { operation: "get_customer", input: { id: 7 } }, next: "call" },
      call: { type: "invoke", data: { function: "billing:price", input: { name: "=steps.look.output.name" } }, next: "send" },
      send: {
        type: "webhook",
        data: { url: "https://example.com/", headers: { a: "b" }, body: { price: "=steps.call.output" } },
        next: "python",
      },
      python: { type: "code", data: { code: "def run(inputs):\n    return 1\n" }, next: "child" },
      child: { type: "subflow", data: { flow: "other", input: { n: 1 }, wait: false }, next: "agent" },
      agent: { type: "talk_to_agent", data: { agent: "helper", message: "Hello", context: { n: "=steps.child.output" } } },
    }),
    acts: [
      { do: "complete", on: "look", output: { name: "Ada" } },
      { do: "complete", on: "call", output: 12.5 },
      { do: "complete", on: "send", output: { status: 200, headers: {}, body: null } },
      { do: "complete", on: "python", output: 1 },
      { do: "complete", on: "child", output: { run: "r2" } },
      { do: "complete", on: "agent", output: { message: "Hi", session: "s", output: null } },
    ],
  },
  {
    name: "retries-then-success",
    flow: flow("send", { send: action("send_mail", { retry: { attempts: 4, delayMs: 1000, factor: 3, delayMsMax: 5000, on: "any" } }) }),
    acts: [
      { do: "fail", on: "send", retryable: true },
      { do: "fire", on: "send" },
      { do: "fail", on: "send", retryable: false, code: "user_error" },
      { do: "fire", on: "send" },
      { do: "fail", on: "send", retryable: true, retryAfterMs: 4000 },
      { do: "fire", on: "send" },
      { do: "complete", on: "send", output: "sent" },
    ],
  },
  {
    name: "failure-taken-over-by-a-handler",
    flow: flow(
      "a",
      {
        a: action("charge", { onError: "mend", next: "b" }),
        b: action("ship"),
        mend: { type: "assignment", data: { values: { note: "=steps.a.error.message" } }, next: "tell" },
        tell: action("tell", {}, { note: "=vars.note" }),
      },
      { variables: { note: { type: "string", initial: "" } } },
    ),
    acts: [
      { do: "fail", on: "a", code: "declined" },
      { do: "complete", on: "tell" },
    ],
  },
  {
    name: "failure-with-the-handler-of-the-flow",
    flow: flow(
      "a",
      {
        a: action("charge"),
        h: action("tell", { next: "r" }, { code: "=run.error.code" }),
        r: { type: "return", data: { output: "saved" } },
      },
      { onError: "h" },
    ),
    acts: [
      { do: "fail", on: "a", code: "declined" },
      { do: "complete", on: "h" },
    ],
  },
  {
    name: "compensation-in-reverse",
    flow: flow("a", {
      a: action("book_flight", { next: "b", compensate: undo("cancel_flight", { id: "=steps.a.output.id" }) }),
      b: action("book_hotel", { next: "c", compensate: undo("cancel_hotel", { id: "=steps.b.output.id" }) }),
      c: action("charge"),
    }),
    acts: [
      { do: "complete", on: "a", output: { id: 1 } },
      { do: "complete", on: "b", output: { id: 2 } },
      { do: "fail", on: "c", code: "declined" },
      { do: "fail", on: "b", code: "unavailable", retryable: true },
      { do: "fire", on: "b" },
      { do: "complete", on: "b" },
      { do: "complete", on: "a" },
    ],
  },
  {
    name: "compensation-that-fails-for-good",
    flow: flow("a", {
      a: action("book_flight", { next: "b", compensate: undo("cancel_flight") }),
      b: action("book_hotel", { next: "c", compensate: undo("cancel_hotel") }),
      c: { type: "delay", data: { for: "1h" } },
    }),
    acts: [
      { do: "complete", on: "a", output: 1 },
      { do: "complete", on: "b", output: 2 },
      { do: "cancel" },
      { do: "fail", on: "b" },
      { do: "fire", on: "b" },
      { do: "fail", on: "b" },
      { do: "fire", on: "b" },
      { do: "fail", on: "b" },
      { do: "complete", on: "a" },
    ],
  },
  {
    name: "for-each-with-failures-collected",
    trigger: { items: ["x", "y", "z", "w"] },
    flow: flow("all", {
      all: {
        type: "for_each",
        data: { items: "=trigger.items", body: "one", concurrency: 2, onItemError: "collect", collect: "=item + '!'" },
        next: "give",
      },
      one: action("ship", {}, { item: "=item", index: "=index" }),
      give: { type: "return", data: { output: "=steps.all.output" } },
    }),
    acts: [
      { do: "complete", on: "one", output: 1 },
      { do: "fail", on: "one", code: "lost" },
      { do: "complete", on: "one", output: 3 },
      { do: "complete", on: "one", output: 4 },
    ],
  },
  {
    name: "loops-go-back-and-continue",
    flow: flow(
      "loop",
      {
        loop: { type: "while", data: { when: "index < 3 && vars.n < 5", body: "add" }, next: "again" },
        add: { type: "assignment", data: { values: { n: "=vars.n + 1" } }, next: "look" },
        look: { type: "lookup", data: { operation: "get_thing" } },
        again: { type: "go_back", data: { to: "loop", times: 1, whenSpent: "continue" }, next: "give" },
        give: { type: "return", data: { output: "=vars.n" } },
      },
      { variables: { n: { type: "number", initial: 0 } } },
    ),
    acts: Array.from({ length: 5 }, () => ({ do: "complete", on: "look", output: {} }) as const),
  },
  {
    name: "parallel-all-with-a-handler-inside",
    flow: flow("both", {
      both: {
        type: "parallel",
        data: {
          branches: [
            { name: "left", start: "l" },
            { name: "right", start: "r" },
          ],
        },
        next: "give",
      },
      l: action("left", { onError: "mend", next: "l2" }),
      l2: action("left_again", { next: "mend" }),
      mend: action("mend"),
      r: { type: "delay", data: { for: "10m" } },
      give: { type: "return", data: { output: "=steps.both.output" } },
    }),
    acts: [
      { do: "fail", on: "l", code: "broken" },
      { do: "complete", on: "mend", output: "mended" },
      { do: "fire", on: "r" },
    ],
  },
  {
    name: "parallel-any-with-a-detached-call",
    flow: flow("race", {
      race: {
        type: "parallel",
        data: {
          branches: [
            { name: "one", start: "a" },
            { name: "two", start: "b" },
            { name: "late", start: "c" },
          ],
          join: "any",
        },
        next: "last",
      },
      a: action("ask_one", { compensate: undo("forget_one") }),
      b: action("ask_two"),
      c: { type: "delay", data: { for: "1d" } },
      last: action("use"),
    }),
    acts: [
      { do: "complete", on: "b", output: "two" },
      { do: "complete", on: "a", output: "one, too late" },
      { do: "fail", on: "last", code: "useless" },
      { do: "complete", on: "a" },
    ],
  },
  {
    name: "delays-and-waits",
    flow: flow("nap", {
      nap: { type: "sleep_for", data: { for: "90s" }, next: "until" },
      until: { type: "delay", data: { until: "2099-01-01T00:00:00Z" }, onError: "ask", next: "ask" },
      ask: {
        type: "wait",
        data: { for: "approval", title: "='Pay ' + string(trigger.amount) + '?'", deadline: "2d", onDeadline: "late" },
        next: "hook",
      },
      hook: { type: "wait", data: { for: "callback", details: { a: 1 } }, next: "sign" },
      sign: { type: "wait", data: { for: "signal", signal: "go", deadline: "1h", onDeadline: "late" }, next: "sign2" },
      sign2: { type: "wait", data: { for: "signal", signal: "go", deadline: "1h", onDeadline: "late" }, next: "sign3" },
      sign3: { type: "wait", data: { for: "signal", signal: "never", deadline: "1h", onDeadline: "late" } },
      late: { type: "return", data: { output: "late" } },
    }),
    trigger: { amount: 5 },
    acts: [
      { do: "fire", on: "nap" },
      { do: "signal", name: "go", payload: 1 },
      { do: "complete", on: "ask", output: { approved: true }, by: "anna" },
      { do: "complete", on: "hook", output: "called back", by: "them" },
      { do: "signal", name: "go", payload: 2 },
      { do: "fire", on: "sign3" },
    ],
  },
  {
    name: "results-that-come-later",
    flow: flow("a", {
      a: action("render", { next: "b" }),
      b: { type: "subflow", data: { flow: "other" }, next: "c" },
      c: action("render", { retry: { attempts: 2, delayMs: 100 } }),
    }),
    acts: [
      { do: "defer", on: "a", forMs: 60_000 },
      { do: "complete", on: "a", output: "rendered", by: "callback" },
      { do: "defer", on: "b", child: "r7" },
      { do: "complete", on: "b", output: 3 },
      { do: "defer", on: "c", forMs: 1000 },
      { do: "fire", on: "c" },
      { do: "fire", on: "c" },
      { do: "defer", on: "c" },
      { do: "fail", on: "c", code: "broken" },
    ],
  },
  {
    name: "paused-with-all-that-comes-meanwhile",
    flow: flow("both", {
      both: {
        type: "parallel",
        data: {
          branches: [
            { name: "a", start: "a" },
            { name: "b", start: "b" },
            { name: "c", start: "c" },
          ],
        },
        next: "last",
      },
      a: action("one"),
      b: { type: "delay", data: { for: "1m" } },
      c: { type: "wait", data: { for: "signal", signal: "go" } },
      last: action("last"),
    }),
    acts: [
      { do: "pause" },
      { do: "complete", on: "a", output: 1 },
      { do: "fire", on: "b" },
      { do: "signal", name: "go", payload: "meanwhile" },
      { do: "resume" },
      { do: "complete", on: "last" },
    ],
  },
  {
    name: "cancelled-while-paused-and-retried",
    flow: flow("both", {
      both: {
        type: "parallel",
        data: {
          branches: [
            { name: "a", start: "a" },
            { name: "b", start: "b" },
          ],
        },
        next: "last",
      },
      a: action("one"),
      b: action("two"),
      last: action("last"),
    }),
    acts: [
      { do: "pause" },
      { do: "complete", on: "a", output: 1 },
      { do: "cancel" },
      { do: "retry", on: "b", input: { again: true }, request: "retry-1" },
      { do: "complete", on: "b", output: 2 },
      { do: "complete", on: "last" },
    ],
  },
  {
    name: "failed-and-retried-with-another-input",
    flow: flow("a", {
      a: action("one", { next: "b" }),
      b: action("two", { next: "c" }, { n: "=steps.a.output" }),
      c: action("three", {}, { n: "=steps.b.output" }),
    }),
    acts: [
      { do: "complete", on: "a", output: 1 },
      { do: "fail", on: "b", code: "wrong" },
      { do: "retry", on: "b", input: { n: 2 } },
      { do: "complete", on: "b", output: 4 },
      { do: "fail", on: "c", code: "wrong" },
      { do: "retry", on: "a" },
      { do: "complete", on: "a", output: 10 },
      { do: "complete", on: "b", output: 20 },
      { do: "complete", on: "c", output: 30 },
    ],
  },
  {
    name: "run-timeout-while-paused",
    flow: flow("nap", { nap: { type: "delay", data: { for: "2h" } } }, { timeoutMs: 3_600_000 }),
    acts: [{ do: "pause" }, { do: "fire", on: "run" }],
  },
  {
    name: "stored-values-handed-on",
    flow: flow("a", {
      a: action("export", { next: "b" }),
      b: action("import", { next: "c" }, { rows: "=steps.a.output.rows", name: "=steps.a.output.name" }),
      c: action("loop", { onError: "d" }, { first: "=size(steps.a.output.rows)" }),
      d: { type: "return", data: { output: "=steps.a.output" } },
    }),
    acts: [
      {
        do: "complete",
        on: "a",
        output: { rows: null, name: "all" },
        stored: [{ path: ["rows"], value: { digest: "0".repeat(64), bytes: 100_000, contentType: "application/json" } }],
      },
      { do: "complete", on: "b", output: null },
    ],
  },
  {
    name: "moved-to-another-version",
    flow: flow("a", { a: action("one", { next: "b" }), b: { type: "delay", data: { for: "1h" } } }),
    acts: [
      { do: "complete", on: "a", output: 1 },
      {
        do: "move",
        nodes: {
          a: action("one", { next: "b" }),
          b: { type: "delay", data: { for: "1h" }, next: "c" },
          c: action("three", {}, { n: "=steps.a.output" }),
        },
      },
      { do: "fire", on: "b" },
      { do: "complete", on: "c" },
    ],
  },
  {
    name: "reply-to-an-agent-and-more-work",
    flow: flow(
      "say",
      {
        say: { type: "set_ai_agent_skill_output", data: { output: { answer: "=trigger.question" } }, next: "work" },
        work: action("work"),
      },
      { trigger: { type: "agentSkill" } },
    ),
    trigger: { question: "why" },
    acts: [{ do: "complete", on: "work" }],
  },
  {
    name: "more-steps-than-one-transition-makes",
    flow: flow(
      "all",
      {
        all: {
          type: "for_each",
          data: { items: Array.from({ length: 1200 }, (_, n) => n), body: "set", collect: "=item * 2" },
          next: "give",
        },
        set: { type: "assignment", data: { values: { n: "=item" } } },
        give: { type: "return", data: { output: "=vars.n" } },
      },
      { variables: { n: { type: "number", initial: 0 } } },
    ),
    acts: [{ do: "continue" }, { do: "continue" }],
  },
  {
    name: "under-way-with-compensations-to-do",
    flow: flow("a", { a: action("one", { next: "b", compensate: undo("undo_one") }), b: action("two", { compensate: undo("undo_two") }) }),
    acts: [{ do: "complete", on: "a", output: 1 }, { do: "cancel" }],
  },
];
