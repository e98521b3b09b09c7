/** A server that speaks OpenAI's and Anthropic's protocols, and says what a test wants. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ModelRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ModelAnswer {
  /** What the model says. */
  readonly text?: string;
  /** Anthropic: what it calls the tool with, in place of a text. */
  readonly tool?: unknown;
  readonly vector?: readonly number[];
  /** The whole answer, in place of one of the protocol. */
  readonly raw?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hangs?: boolean;
}

export class ModelServer {
  readonly requests: ModelRequest[] = [];
  answer: (request: ModelRequest) => ModelAnswer = () => ({ text: "hello" });
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
        const request = { path: incoming.url ?? "", headers: incoming.headers, body };
        this.requests.push(request);
        const answer = this.answer(request);
        if (answer.hangs === true) return;
        outgoing.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
        outgoing.end(answer.raw ?? JSON.stringify(bodyOf(request.path, answer)));
      });
    });
  }

  static async start(): Promise<ModelServer> {
    const server = new ModelServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get last(): ModelRequest | undefined {
    return this.requests.at(-1);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function bodyOf(path: string, { text = "", tool, vector = [] }: ModelAnswer): unknown {
  if (path.endsWith("/embeddings")) return { object: "list", data: [{ object: "embedding", index: 0, embedding: vector }], model: "e" };
  if (path.endsWith("/messages"))
    return {
      id: "m",
      type: "message",
      role: "assistant",
      model: "claude-test",
      content: tool === undefined ? [{ type: "text", text }] : [{ type: "tool_use", id: "t", name: "answer", input: tool }],
      stop_reason: "end_turn",
      usage: { input_tokens: 11, output_tokens: 7 },
    };
  return {
    id: "c",
    object: "chat.completion",
    model: "gpt-test",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  };
}
