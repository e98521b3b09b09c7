import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { AttachedChannel } from "./attached-channel.ts";

/** A frame of the engine's multiplexed stream. */
function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

test("standard output is the channel, standard error is what was printed, also in pieces", async () => {
  const printed: string[] = [];
  const channel = new AttachedChannel((bytes) => void printed.push(bytes.toString()));
  const socket = new PassThrough();
  channel.open({ socket, head: frame(1, "he").subarray(0, 5) });
  const read: string[] = [];
  channel.on("data", (chunk: Buffer) => void read.push(chunk.toString()));
  socket.write(frame(1, "he").subarray(5));
  for (const byte of Buffer.concat([frame(2, "note"), frame(1, "llo")])) socket.write(Buffer.from([byte]));
  await soon();
  expect([read.join(""), printed.join("")]).toEqual(["hello", "note"]);
});

test("a channel that rests reads nothing until its pause is over, and then everything", async () => {
  const printed: string[] = [];
  const channel = new AttachedChannel((bytes) => void printed.push(bytes.toString()));
  const socket = new PassThrough();
  channel.open({ socket, head: Buffer.alloc(0) });
  channel.resume();
  const { promise, resolve } = Promise.withResolvers<void>();
  const rested = channel.rest(promise);
  socket.write(frame(2, "late"));
  await soon();
  expect(printed).toEqual([]);
  resolve();
  await rested;
  await soon();
  expect(printed).toEqual(["late"]);
});
