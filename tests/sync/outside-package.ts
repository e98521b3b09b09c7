/** A package that hands its events to the test, which then speaks the protocol itself. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseSyncEvent, type SyncCallEvent } from "./parse-event.ts";

export interface OutsidePackage {
  readonly port: number;
  /** The event of the next call; its function runs until `release`. */
  next(): Promise<SyncCallEvent>;
  release(): void;
  close(): Promise<void>;
}

export async function startOutsidePackage(): Promise<OutsidePackage> {
  const events: SyncCallEvent[] = [];
  const waiting: ((event: SyncCallEvent) => void)[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const event = parseSyncEvent(Buffer.concat(chunks).toString());
      const taker = waiting.shift();
      if (taker === undefined) events.push(event);
      else taker(event);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const release = () => {
    for (const response of open) response.end("{}");
    open.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    next: () => {
      const event = events.shift();
      return event === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(event);
    },
    release,
    close: async () => {
      release();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
