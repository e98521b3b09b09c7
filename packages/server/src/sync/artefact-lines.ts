/** Reads the lines of artefacts, which packages wrote: packed or not, of any length, of any content. */
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

/** Bytes that may still be unpacked for one request. */
export interface UnpackBudget {
  left: number;
}

const GZIP = [0x1f, 0x8b];
const LINE_END = 0x0a;

/** The lines without their ends; empty ones are left out. Rejects when the bytes are not what they seem, or are too many. */
export async function* artefactLines(body: Readable, budget: UnpackBudget): AsyncIterable<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of unpacked(body, budget)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, end)]);
      [rest, restBytes, from] = [[], 0, end + 1];
      checkLine(line.length);
      if (line.length > 0) yield line.toString("utf8");
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    checkLine(restBytes);
  }
  if (restBytes > 0) yield Buffer.concat(rest).toString("utf8");
}

async function* unpacked(body: Readable, budget: UnpackBudget): AsyncIterable<Buffer> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done === true) return;
  const source = (async function* () {
    yield first.value;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  })();
  try {
    const isPacked = GZIP.every((byte, at) => first.value[at] === byte);
    for await (const chunk of isPacked ? gunzip(source) : source) {
      budget.left -= chunk.length;
      if (budget.left < 0)
        throw plinthError("RequestTooLarge", {
          what: "artefact",
          actual: "more bytes unpacked",
          max: `${limit("syncItemsBytesMax")} bytes`,
        });
      yield chunk;
    }
  } finally {
    body.destroy();
  }
}

async function* gunzip(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const unzip = createGunzip();
  const feeding = feed(source, unzip);
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
  } catch (error) {
    throw plinthError("BadRequest", { detail: "The artefact is not the gzip file that it begins as." }, { cause: error });
  } finally {
    unzip.destroy();
    await feeding;
  }
}

/** Never rejects: what goes wrong is seen where the other end is read. */
async function feed(source: AsyncIterable<Buffer>, unzip: ReturnType<typeof createGunzip>): Promise<void> {
  try {
    for await (const chunk of source) {
      if (unzip.destroyed) return;
      if (unzip.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        unzip.once("drain", resolve);
        unzip.once("close", resolve);
      });
    }
    unzip.end();
  } catch (error) {
    unzip.destroy(error instanceof Error ? error : new Error("the artefact cannot be read"));
  }
}

function checkLine(bytes: number): void {
  const max = limit("syncItemBytesMax");
  if (bytes > max) throw plinthError("RequestTooLarge", { what: "item of the artefact", actual: "more bytes", max: `${max} bytes` });
}
