/** Random flows of all nodes that need no package: chains within chains, with retries, handlers, compensations and waits. */
import type { JsonObject } from "../../../packages/core/src/operations/operation.ts";
import type { Random } from "../random.ts";

type Nodes = Record<string, JsonObject>;

interface Place {
  readonly nodes: Nodes;
  readonly depth: number;
}

export function randomFlow(random: Random, name: string): JsonObject {
  const nodes: Nodes = {};
  const start = chain(random, { nodes, depth: 0 });
  const onError = oneIn(random, 4) ? chain(random, { nodes, depth: 2 }) : null;
  return {
    format: 1,
    name,
    trigger: { type: "api" },
    variables: { count: { type: "number", initial: 0 } },
    start,
    nodes,
    ...(onError === null ? {} : { onError }),
    ...(oneIn(random, 5) ? { timeoutMs: random.integer(1, 40) * 60_000 } : {}),
  };
}

/** Another version, to which runs of the first one can be moved, and back while they are not at the step. */
export function withOneMoreStep(flow: JsonObject): JsonObject {
  const nodes = flow["nodes"] as Nodes;
  let last = "";
  for (let next = flow["start"]; typeof next === "string"; next = nodes[last]?.["next"]) last = next;
  const more = { type: "invoke", data: { function: "sim:mutation", input: { more: true } } };
  return { ...flow, nodes: { ...nodes, [last]: { ...nodes[last], next: "more" }, more } };
}

function oneIn(random: Random, count: number): boolean {
  return random.integer(1, count) === 1;
}

function chain(random: Random, { nodes, depth }: Place): string {
  const ids: string[] = [];
  const count = random.integer(1, depth === 0 ? 6 : 3);
  for (let i = 0; i < count; i += 1) {
    const id = `n${Object.keys(nodes).length}`;
    nodes[id] = {};
    nodes[id] = node(random, { nodes, depth }, ids);
    ids.push(id);
  }
  ids.forEach((id, i) => {
    const later = ids.slice(i + 1);
    const [next] = later;
    if (next === undefined) return;
    const written: JsonObject = { ...nodes[id], next };
    const data = written["data"] as JsonObject;
    if (written["type"] === "decision" && later.length > 1)
      nodes[id] = { ...written, data: { ...data, [oneIn(random, 2) ? "then" : "else"]: random.pick(later) } };
    else nodes[id] = later.length > 1 && oneIn(random, 5) ? { ...written, onError: random.pick(later) } : written;
  });
  return ids[0] ?? "";
}

function call(random: Random): JsonObject {
  const input = { count: "=vars.count" };
  switch (random.integer(0, 5)) {
    case 0:
      return { type: "script", data: { code: "return 1;", input } };
    case 1:
      return { type: "invoke", data: { function: "sim:query", input } };
    case 2:
      return { type: "webhook", data: { url: "https://example.com/", body: input } };
    case 3:
      return { type: "invoke", data: { function: "sim:action", input } };
    default:
      return { type: "invoke", data: { function: "sim:mutation", input } };
  }
}

function step(random: Random): JsonObject {
  const retry = { attempts: random.integer(1, 4), on: oneIn(random, 2) ? "any" : "retryable", delayMs: random.integer(0, 3) * 1000 };
  return {
    ...call(random),
    ...(oneIn(random, 3) ? { compensate: call(random) } : {}),
    ...(oneIn(random, 3) ? { retry } : {}),
    ...(oneIn(random, 4) ? { timeoutMs: random.integer(1, 100) * 1000 } : {}),
  };
}

function wait(random: Random): JsonObject {
  const deadline = random.pick(["30s", "1h", "8d"]);
  switch (random.integer(0, 3)) {
    case 0:
      return { type: "wait", data: { for: "callback", deadline } };
    case 1:
      return { type: "wait", data: { for: "approval", title: "May we?", deadline } };
    default:
      return { type: "wait", data: { for: "signal", signal: random.pick(["go", "stay"]), deadline } };
  }
}

function node(random: Random, { nodes, depth }: Place, earlier: readonly string[]): JsonObject {
  const inner = { nodes, depth: depth + 1 };
  switch (random.integer(0, depth < 2 ? 14 : 10)) {
    case 4:
      return { type: "decision", data: { when: "vars.count > 1" } };
    case 5:
      return { type: "assignment", data: { values: { count: "=vars.count + 1" } } };
    case 6:
      return { type: "delay", data: { for: random.pick(["1s", "5m", "3d", 0]) } };
    case 7:
    case 8:
      return wait(random);
    case 9:
      return earlier.length === 0
        ? { type: "router", data: { cases: [{ when: "vars.count == 0", name: "none" }] } }
        : {
            type: "go_back",
            data: { to: random.pick(earlier), times: random.integer(1, 2), whenSpent: oneIn(random, 3) ? "fail" : "continue" },
          };
    case 10:
      return oneIn(random, 3) ? { type: "return", data: { output: "=vars.count" } } : step(random);
    case 11:
    case 12:
      return {
        type: "for_each",
        data: {
          items: [1, 2, 3, 4].slice(0, random.integer(0, 4)),
          body: chain(random, inner),
          concurrency: random.integer(1, 3),
          onItemError: oneIn(random, 2) ? "stop" : "collect",
          collect: "=item",
        },
      };
    case 13:
      return { type: "while", data: { when: `index < ${random.integer(0, 4)}`, body: chain(random, inner), iterationsMax: 4 } };
    case 14:
      return {
        type: "parallel",
        data: {
          branches: ["a", "b", "c"].slice(0, random.integer(1, 3)).map((name) => ({ name, start: chain(random, inner) })),
          join: oneIn(random, 2) ? "all" : "any",
        },
      };
    default:
      return step(random);
  }
}
