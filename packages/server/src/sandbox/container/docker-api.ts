/**
 * A client for what this provider needs of the Docker API (1.40), which Docker and `podman system service` answer, over a Unix
 * socket or TCP. The daemon is trusted; its answers are still bounded, timed and read by `parse-docker.ts`.
 */
import { Agent, type IncomingMessage, request, type RequestOptions } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import {
  type ContainerState,
  type EngineInfo,
  type EngineVersion,
  type ImageTag,
  parseContainerNames,
  parseContainerState,
  parseEngineInfo,
  parseEngineVersion,
  parseImageTags,
} from "./parse-docker.ts";

const API_VERSION = "v1.40";
const TOO_LATE = "the container engine did not answer in time";

export type EngineAddress =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly upload?: Readable;
  readonly maxMs?: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The engine refused a request. */
export class EngineRefusal extends Error {
  override readonly name = "EngineRefusal";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Throws BadConfiguration for what is no address. */
export function parseEngineAddress(url: string): EngineAddress {
  const unix = /^unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (unix !== undefined) return { kind: "unix", socketPath: unix };
  const tcp = /^(?:tcp|http):\/\/(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+):(\d{1,5})\/?$/.exec(url);
  if (tcp?.[1] !== undefined) return { kind: "tcp", host: tcp[1].replace(/^\[|\]$/g, ""), port: Number(tcp[2]) };
  throw plinthError("BadConfiguration", { detail: `the container engine must be unix:///path or tcp://host:port, not '${url}'` });
}

export class DockerApi {
  readonly address: EngineAddress;
  readonly #runtime: Runtime;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: limit("containerEngineConnectionsMax"), maxFreeSockets: 2 });

  constructor(options: { readonly address: EngineAddress; readonly runtime: Runtime }) {
    this.address = options.address;
    this.#runtime = options.runtime;
  }

  /** Names the API version that the engine must have; rejects where the engine is older or does not answer. */
  async version(): Promise<EngineVersion> {
    return parseEngineVersion(await this.#json({ method: "GET", path: "/version" }));
  }

  async info(): Promise<EngineInfo> {
    return parseEngineInfo(await this.#json({ method: "GET", path: "/info" }));
  }

  /** Tags of images whose repository begins with the prefix. */
  async imageTags(repositoryPrefix: string): Promise<readonly ImageTag[]> {
    const tags = parseImageTags(await this.#json({ method: "GET", path: "/images/json" }));
    return tags.filter(({ name }) => name.startsWith(repositoryPrefix));
  }

  /** Makes an image of one layer from a tar archive. */
  async importImage(name: string, archive: Readable): Promise<void> {
    // Podman takes the tag from the name only; Docker takes it there too.
    const path = `/images/create?fromSrc=-&repo=${encodeURIComponent(name)}`;
    const { text } = await this.#call({ method: "POST", path, upload: archive, maxMs: limit("containerImageMsMax") });
    const error = /"error"\s*:\s*"([^"]{1,300})/.exec(text)?.[1];
    if (error !== undefined) throw new EngineRefusal(500, error);
  }

  async removeImage(name: string): Promise<void> {
    await this.#call({ method: "DELETE", path: `/images/${encodeURIComponent(name)}` });
  }

  async create(name: string, body: unknown): Promise<void> {
    await this.#call({ method: "POST", path: `/containers/create?name=${encodeURIComponent(name)}`, body });
  }

  async start(name: string): Promise<void> {
    await this.#call({ method: "POST", path: `/containers/${name}/start` });
  }

  async inspect(name: string): Promise<ContainerState> {
    return parseContainerState(await this.#json({ method: "GET", path: `/containers/${name}/json` }));
  }

  /** Kills it and removes what is left of it. That it is gone already is fine. */
  async remove(name: string): Promise<void> {
    try {
      await this.#call({ method: "DELETE", path: `/containers/${name}?force=1&v=1`, maxMs: limit("containerRemoveMsMax") });
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.status !== 404) throw error;
    }
  }

  /** Names of containers, whether they run or not, that have all the labels (`name=value`). */
  async list(labels: readonly string[]): Promise<readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: labels }));
    return parseContainerNames(await this.#json({ method: "GET", path: `/containers/json?all=1&filters=${filters}` }));
  }

  /** The connection that carries standard input one way and the multiplexed outputs the other way. */
  attach(name: string): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
    const path = `/containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
    return new Promise((resolve, reject) => {
      const sent = request({
        ...this.#target({ method: "POST", path }),
        agent: false,
        headers: { host: "engine", connection: "Upgrade", upgrade: "tcp", "content-length": "0" },
      });
      const timer = this.#runtime.timer(limit("containerEngineMsMax"), () => sent.destroy(new Error(TOO_LATE)));
      sent.on("close", () => timer.cancel());
      sent.on("upgrade", (_, socket, head) => {
        timer.cancel();
        resolve({ socket, head });
      });
      sent.on("response", (response) => {
        response.resume();
        reject(new EngineRefusal(response.statusCode ?? 0, "the engine did not open the connection to the container"));
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #json(call: Call): Promise<unknown> {
    const { text } = await this.#call(call);
    try {
      return JSON.parse(text);
    } catch {
      throw new Error("the container engine answered what is no JSON");
    }
  }

  async #call(call: Call): Promise<Answer> {
    const answer = await this.#send(call);
    if (answer.status >= 200 && answer.status < 400) return answer;
    throw new EngineRefusal(answer.status, messageOf(answer.text));
  }

  #send(call: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const body = call.body === undefined ? undefined : JSON.stringify(call.body);
      const sent = request({
        ...this.#target(call),
        agent: this.#agent,
        headers: {
          host: "engine",
          ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
          ...(call.upload === undefined ? {} : { "content-type": "application/x-tar" }),
        },
      });
      const timer = this.#runtime.timer(call.maxMs ?? limit("containerEngineMsMax"), () => sent.destroy(new Error(TOO_LATE)));
      sent.on("close", () => timer.cancel());
      sent.on("error", (error) => {
        call.upload?.destroy();
        reject(error);
      });
      sent.on("response", (response) => readAnswer(response).then(resolve, reject));
      if (call.upload === undefined) sent.end(body);
      else {
        call.upload.on("error", (error) => sent.destroy(error));
        call.upload.pipe(sent);
      }
    });
  }

  #target({ method, path }: Pick<Call, "method" | "path">): RequestOptions {
    const { address } = this;
    const target = { method, path: `/${API_VERSION}${path}` };
    return address.kind === "unix" ? { ...target, socketPath: address.socketPath } : { ...target, host: address.host, port: address.port };
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > limit("containerAnswerBytesMax")) throw new Error("the container engine's answer is too long");
    chunks.push(part);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

function messageOf(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message).slice(0, 500);
  } catch {
    // Some answers are plain text.
  }
  return text.trim().slice(0, 500) || "the engine gave no reason";
}

/** What to tell when the engine cannot be used. */
export function engineUnusable(url: string, error: unknown): PlinthError {
  const reason = error instanceof Error ? error.message : String(error);
  return plinthError(
    "BadConfiguration",
    { detail: `no container engine answers at ${url} (${reason}); start Docker, or run \`podman system service --time=0 ${url}\`` },
    { cause: error },
  );
}
