/** What happened on the host since a trigger: calls of functions that ended, their log lines, and deliveries that failed. */
import { setTimeout as pause } from "node:timers/promises";
import { call, field, send, type Json } from "../../../packages/cli/src/client.ts";
import type { Connection } from "../../../packages/cli/src/connection.ts";
import { readEvents } from "../../../packages/cli/src/event-stream.ts";

const POLL_MS = 100;

export interface LogLine {
  readonly invocation: string;
  readonly functionPath: string;
  readonly level: string;
  readonly text: string;
}

export interface DeadLetter {
  readonly automation: string;
  readonly message: string;
}

export class Observer {
  readonly #connection: Connection;
  #abort = new AbortController();
  #lines: LogLine[] = [];
  /** Calls whose lines were read; a host that starts again tells them anew. */
  readonly #told = new Set<string>();
  #following: Promise<void> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async start(): Promise<void> {
    this.#abort = new AbortController();
    const accept = { accept: "text/event-stream", signal: this.#abort.signal };
    const response = await send(this.#connection, "/v1/logs?follow=true", accept);
    this.#following = this.#follow(response, this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
  }

  /** Lines come on a connection of their own, a moment after what they are about. */
  async takeLines(afterMs = 0): Promise<readonly LogLine[]> {
    await pause(afterMs);
    const taken = this.#lines;
    this.#lines = [];
    return taken;
  }

  /** How many calls of a function of a package have ended. */
  async ended(path: string): Promise<number> {
    const metrics = await (await send(this.#connection, "/metrics")).text();
    return metrics
      .split("\n")
      .filter((line) => line.startsWith("plinth_invocations_total{") && line.includes(`function="${path}"`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  /** Waits until a function has ended as often as said and nothing waits for the package any more; false when it takes too long. */
  async waitFor(path: string, { count, timeoutMs }: { readonly count: number; readonly timeoutMs: number }): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    while ((await this.ended(path)) < count) {
      if (performance.now() > deadlineMs) return false;
      await pause(POLL_MS);
    }
    while ((await this.waiting()) > 0 && performance.now() < deadlineMs) await pause(POLL_MS);
    return true;
  }

  /** Resolves when no event waits for a function. */
  async quiet(): Promise<void> {
    while ((await this.waiting()) > 0) await pause(POLL_MS);
  }

  async waiting(): Promise<number> {
    const { waiting } = (await call(this.#connection, "/v1/events/waiting")) as { readonly waiting: readonly { readonly count: number }[] };
    return waiting.reduce((sum, { count }) => sum + count, 0);
  }

  /** Takes the dead letters that there are. */
  async takeDeadLetters(): Promise<readonly DeadLetter[]> {
    const listed = (await call(this.#connection, "/v1/events/dead-letters")) as { readonly deadLetters: readonly Json[] };
    const taken: DeadLetter[] = [];
    for (const letter of listed.deadLetters) {
      const { error } = letter as { readonly error?: Json };
      const message = `${field(error, "code") ?? ""}: ${field(error, "message") ?? ""}`;
      taken.push({ automation: field(letter, "automation") ?? "", message });
      await call(this.#connection, `/v1/events/dead-letters/${field(letter, "id") ?? ""}`, { method: "DELETE" });
    }
    return taken;
  }

  async #follow(response: Response, signal: AbortSignal): Promise<void> {
    const before = new Set(this.#told);
    try {
      for await (const { event, data } of readEvents(response)) {
        if (event !== "log") continue;
        const line = JSON.parse(data) as LogLine;
        if (before.has(line.invocation)) continue;
        this.#told.add(line.invocation);
        this.#lines.push(line);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
