/** A `fetch` for SDKs whose only way out is the one that it is given. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Send } from "./ai-client.ts";

/** What an SDK may say itself; it takes further headers from the host's environment, which is nobody's business outside. */
const SENT_HEADERS = ["accept", "content-type", "anthropic-version"];
const KEPT_HEADERS = new Set(["content-type", "retry-after", "request-id", "x-request-id"]);
const NO_BODY = new Set([101, 204, 205, 304]);

export function guardedFetch(send: Send, authentication: readonly (readonly [string, string])[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = await request.arrayBuffer();
    const sent = SENT_HEADERS.flatMap((name): [string, string][] => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    const response = await send({
      url: request.url,
      method: request.method,
      headers: [...sent, ...authentication],
      bodyBase64: body.byteLength === 0 ? null : Buffer.from(body).toString("base64"),
      redirect: "error",
    });
    const answer = Buffer.from(response.bodyBase64, "base64");
    checkAnswer(answer);
    return new Response(NO_BODY.has(response.status) ? null : answer, {
      status: response.status,
      headers: response.headers
        .filter(([name]) => KEPT_HEADERS.has(name.toLowerCase()))
        .map(([name, value]): [string, string] => [name, value]),
    });
  };
}

/** The SDK parses what looks like JSON, on the host's thread. */
function checkAnswer(body: Buffer): void {
  const max = limit("aiAnswerBytesMax");
  if (body.length > max) throw plinthError("LimitExceeded", { what: "Bytes of a model's answer", actual: body.length, max });
  try {
    scanJsonText(body, { depthMax: limit("valueDepthMax"), what: "model's answer" });
  } catch (error) {
    // What is not JSON at all the SDK finds out; what is too deep or too much may not reach it.
    if (error instanceof PlinthError && error.code !== "MalformedJson")
      throw plinthError("AiAnswerInvalid", { detail: "it is nested too deep or holds too many values" });
  }
}
